"""Jobs with webhooks, a courier that delivers them, and the receiver that they go to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from redis import Redis

from model.params import StyleTransferParams
from tests.worker.receiver import Receiver, receiving
from worker import webhooks
from worker.courier import Courier
from worker.jobs import Jobs
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.records import Job
from worker.settings import Settings
from worker.submission import Submission
from worker.webhooks import DEFAULT_EVENTS, Webhook, WebhookEvent

PARAMS = StyleTransferParams(size=64)


@dataclass
class Desk:
    """All that a webhook takes, on a real Valkey, without a worker around it."""

    redis: Redis
    settings: Settings
    jobs: Jobs
    courier: Courier
    receiver: Receiver
    pictures: Pictures

    def submit(self, path: str, *events: WebhookEvent, owner: str | None = None) -> Job:
        """A job whose webhooks go to the receiver, or anywhere if the path is a whole URL."""
        url = self.receiver.url + path if path.startswith("/") else path
        webhook = Webhook(url=url, events=events or DEFAULT_EVENTS)
        return self.jobs.submit(Submission(self.pictures, PARAMS, owner=owner, webhook=webhook))

    def canceled(self, path: str, *, owner: str | None = None) -> Job:
        """A job that has ended, so that there is a delivery."""
        return self.jobs.cancel(self.submit(path, owner=owner).id)

    def begin(self, job: Job) -> None:
        """What RQ writes when a worker takes a job."""
        record = PaintingJob.fetch(job.id, connection=self.redis, serializer="json")
        with self.redis.pipeline() as pipeline:
            record.prepare_for_execution("worker", pipeline)
            pipeline.execute()

    def deliver(self) -> None:
        """Sends all that is due, to the end."""
        self.courier.send_due()
        assert self.courier.wait_until_idle(30)

    def due(self) -> list[float]:
        """In how many seconds deliveries are due."""
        entries = self.redis.zrange(webhooks.DUE, 0, -1, withscores=True)
        return [score - time.time() for _, score in cast("list[tuple[bytes, float]]", entries)]

    def make_due(self) -> None:
        """Lets the time pass that all deliveries wait for."""
        for name in cast("list[bytes]", self.redis.zrange(webhooks.DUE, 0, -1)):
            self.redis.zadd(webhooks.DUE, {name: time.time()})


@contextmanager
def a_desk(redis: Redis, settings: Settings, pictures: Pictures) -> Iterator[Desk]:
    """A desk whose receiver is on this machine, where webhooks may go."""
    lenient = settings.model_copy(update={"webhook_allow_private": True})
    jobs = Jobs(redis, lenient)
    with receiving() as receiver:
        yield Desk(redis, lenient, jobs, Courier(jobs, lenient), receiver, pictures)
