"""The bookkeeping around every request: its id, its metrics, its line in the access log."""

from collections.abc import Callable
from time import perf_counter

from prometheus_client import Counter, Histogram

from gateway.http.context import RequestContext
from gateway.observability.metrics import FASTEST, Metrics

LogRequest = Callable[[RequestContext, str, BaseException | None], None]
"""Takes a finished request, its method, and the error if it was unexpected."""


class RequestObserver:
    """Begins and ends the bookkeeping of requests, whichever path answers them."""

    def __init__(self, metrics: Metrics, new_id: Callable[[], str], log: LogRequest) -> None:
        self._metrics = metrics
        self._new_id = new_id
        self._log = log
        self._meters: dict[tuple[str, int, str], _Meter] = {}

    def begin(self) -> RequestContext:
        """Returns the bookkeeping of a request that begins now."""
        return RequestContext(self._new_id())

    def end(self, context: RequestContext, method: str, unexpected: BaseException | None = None) -> None:
        """Counts a finished request, and logs it."""
        seconds = perf_counter() - context.began
        # Finding a counter by its labels costs more than counting, and there are few of them.
        key = (context.operation, context.status, context.cache)
        meter = self._meters.get(key)
        if meter is None:
            cache = context.cache or "none"
            requests = self._metrics.requests.labels(context.operation or "other", context.status, cache)
            meter = self._meters[key] = _Meter(requests, self._metrics.seconds.labels(cache))
        if seconds <= FASTEST:
            meter.count += 1
            meter.seconds += seconds
        else:
            meter.requests.inc()
            meter.histogram.observe(seconds)
        self._log(context, method, unexpected)

    async def flush(self) -> None:
        """Adds what was counted since the last time to the metrics. Called each second, and before these are shown."""
        for meter in self._meters.values():
            meter.flush()


class _Meter:
    """Counts requests of one operation, status and cache outcome.

    Adding to a counter and to a histogram takes as long as all other checks of a hit. So requests that are fast enough
    for the first bucket are summed up here first.
    """

    __slots__ = ("count", "histogram", "requests", "seconds")

    def __init__(self, requests: Counter, histogram: Histogram) -> None:
        self.requests = requests
        self.histogram = histogram
        self.count = 0
        self.seconds = 0.0

    def flush(self) -> None:
        if not self.count:
            return
        self.requests.inc(self.count)
        # The library has no public method that adds several observations at once.
        self.histogram._buckets[0].inc(self.count)  # noqa: SLF001
        self.histogram._sum.inc(self.seconds)  # noqa: SLF001
        self.count, self.seconds = 0, 0.0
