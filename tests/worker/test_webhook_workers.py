"""Webhooks of real worker processes: those that paint, die in a delivery, or are asked to stop."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import Process, house_environment
from tests.worker.crew import SHORT, a_crew
from tests.worker.desk import Desk, a_desk
from worker.pictures import Pictures
from worker.submission import Submission
from worker.webhook_secrets import WebhookSecrets
from worker.webhooks import Webhook


@pytest.fixture
def desk(tmp_path: Path, content: bytes, style: bytes) -> Iterator[Desk]:
    pictures = Pictures(content, [style])
    with (
        a_crew(tmp_path) as crew,
        a_desk(crew.jobs.connection, crew.settings, pictures) as desk,
    ):
        yield desk


def worker(desk: Desk, name: str) -> Process:
    """A worker process that may deliver to this machine."""
    folder = desk.settings.data_dir
    environment = house_environment(
        folder,
        ATELIER_REDIS_URL=desk.settings.required_redis_url,
        ATELIER_WEBHOOK_ALLOW_PRIVATE="1",
    )
    return Process("worker", environment=environment, log=folder / f"{name}.log")


def test_a_painted_job_is_told_of_by_the_worker_that_painted_it(desk: Desk) -> None:
    url = f"{desk.receiver.url}/hook"
    webhook = Webhook(url=url, events=("running", "succeeded"))
    job = desk.jobs.submit(Submission(desk.pictures, SHORT, owner="alice", webhook=webhook))
    with worker(desk, "worker") as process:
        told = desk.receiver.wait("/hook", count=2, within=120)
        assert process.end() == 0
        assert "Traceback" not in process.output
        assert url not in process.output
    secret = WebhookSecrets(desk.redis, desk.settings).of("alice")
    begun, ended = (received.verified(secret) for received in told)
    assert (begun["type"], ended["type"]) == ("job.running", "job.succeeded")
    assert ended["data"] == desk.jobs.get(job.id).model_dump(mode="json")
    assert ended["data"]["result"]["width"] == 64
    assert desk.due() == []


def test_a_delivery_in_which_its_worker_is_killed_is_made_again_by_another(desk: Desk) -> None:
    desk.canceled("/slow")
    with worker(desk, "killed") as killed:
        desk.receiver.wait("/slow", within=120)
        killed.signal(signal.SIGKILL)
        killed.wait(within=10)
    (lease,) = desk.due()
    assert lease > 0
    desk.make_due()
    desk.receiver.released.set()
    desk.deliver()
    first, second = desk.receiver.at("/slow")
    assert second.id == first.id
    second.verified(WebhookSecrets(desk.redis, desk.settings).of(None))
    assert desk.due() == []


def test_a_worker_that_is_asked_to_stop_in_a_delivery_is_gone_within_its_grace(
    desk: Desk,
) -> None:
    desk.canceled("/slow")
    with worker(desk, "stopped") as stopped:
        desk.receiver.wait("/slow", within=120)
        assert stopped.end(within=desk.settings.stop_grace_seconds) == 0
        assert "Traceback" not in stopped.output
    assert len(desk.due()) == 1, "the delivery is kept"
