"""`make load`: the gateway behind a real nginx, checked for answers that come through unchanged, and timed."""
