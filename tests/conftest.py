"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A run must not fail by chance, nor because the machine is busy: the same examples each time, and no clock.
# `--hypothesis-profile=search` looks further, with other examples each time.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
