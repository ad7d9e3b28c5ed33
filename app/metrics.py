"""What a scrape of ``/metrics`` shows: this process, its requests, and the house as Redis has it.

Names: ``rq_*`` are those of rq-exporter, ``http_*`` of the FastAPI instrumentator, ``process_*`` of
every client of Prometheus; ``atelier_*`` are ours, in base units.
"""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from worker import census
from worker.census import Census
from worker.connections import RedisAway
from worker.jobs import Jobs

#: In seconds: from an answer out of memory to the end of a long poll.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# When a counter began to count is a metric for each series, and of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one app, in a registry of its own."""

    def __init__(self, jobs: Jobs) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Until an answer begins, by the route's template.",
            ["handler", "method"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._requests = Counter(
            "http_requests",
            "Answers by their class of status.",
            ["handler", "method", "status"],
            registry=self._registry,
        )
        self._registry.register(_House(jobs))

    def answered(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        self._seconds.labels(handler, method).observe(seconds)
        self._requests.labels(handler, method, f"{status // 100}xx").inc()

    def expose(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the format that the header ``Accept`` asks for, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


class _House(Collector):
    """What is in Redis at the moment of the scrape."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("atelier_redis_up", "Whether Redis answers.")
        try:
            found = census.take(self._jobs)
        except RedisAway:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _queue(found)
        yield from _ended(found)
        yield from _workers(found)

    def describe(self) -> Iterator[Metric]:
        """Nothing: whoever registers this need not ask Redis."""
        return iter(())


def _queue(found: Census) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("rq_jobs", "Jobs by status.", labels=["queue", "status"])
    for status, number in found.jobs.items():
        jobs.add_metric([found.queue, status], number)
    yield jobs
    workers = GaugeMetricFamily(
        "rq_workers", "RQ workers: intake threads.", labels=["name", "state", "queues"]
    )
    for worker in found.rq_workers:
        workers.add_metric(list(worker), 1)
    yield workers
    yield GaugeMetricFamily("atelier_queue_length", "Jobs waiting.", found.queue_length)
    yield GaugeMetricFamily(
        "atelier_queue_oldest_seconds", "Wait of the oldest job in the queue.", found.oldest_seconds
    )


def _ended(found: Census) -> Iterator[Metric]:
    totals = found.totals
    ended = CounterMetricFamily("atelier_jobs", "Jobs that have ended.", labels=["status"])
    for status, number in totals.ended.items():
        ended.add_metric([status], number)
    yield ended
    seconds = HistogramMetricFamily(
        "atelier_job_seconds", "Time of a job in a stage.", labels=["stage"]
    )
    for stage, took in totals.seconds.items():
        seconds.add_metric([stage], took.buckets, took.total)
    yield seconds
    yield CounterMetricFamily("atelier_steps", "Optimisation steps.", totals.steps)
    yield CounterMetricFamily("atelier_job_attempts", "Jobs begun by a worker.", totals.attempts)
    yield CounterMetricFamily(
        "atelier_job_restarts", "Paintings that went back: the loss exploded.", totals.restarts
    )


def _workers(found: Census) -> Iterator[Metric]:
    info = InfoMetricFamily("atelier_worker", "Worker processes.", labels=["worker"])
    device = ["worker", "device"]
    busy = CounterMetricFamily("atelier_device_busy_seconds", "Time painted.", labels=device)
    speed = GaugeMetricFamily(
        "atelier_device_steps_per_second", "Speed at present; 0 when idle.", labels=device
    )
    lost = GaugeMetricFamily("atelier_device_lost", "1: it paints no more.", labels=device)
    for worker in found.workers:
        features = worker.features
        told = {"host": worker.host, "version": worker.version, "features": features.name}
        info.add_metric([worker.name], {**told, "features_sha256": features.sha256})
        for one in worker.devices:
            busy.add_metric([worker.name, one.name], one.busy_seconds)
            speed.add_metric([worker.name, one.name], one.steps_per_second)
            lost.add_metric([worker.name, one.name], one.lost)
    yield from (info, busy, speed, lost)
