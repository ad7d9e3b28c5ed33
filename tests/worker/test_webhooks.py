"""Deliveries to a real receiver, on a real Valkey, made by a courier without a worker around it."""

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import cast

import psutil
import pytest
from redis import Redis
from rq.job import JobStatus

from tests.house import eventually
from tests.worker.desk import Desk, a_desk
from worker import courier as couriers
from worker.courier import BACK_OFF_SECONDS, MAX_ATTEMPTS, PARALLEL
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.settings import Settings, SettingsError
from worker.webhook_secrets import WebhookSecrets
from worker.webhooks import LEASE_SECONDS, Deliveries


@pytest.fixture
def desk(redis: Redis, settings: Settings, content: bytes, style: bytes) -> Iterator[Desk]:
    with a_desk(redis, settings, Pictures(content, [style])) as desk:
        yield desk


def test_a_receiver_can_verify_what_it_is_told_and_it_is_the_job(desk: Desk) -> None:
    job = desk.canceled("/hook?token=abc", owner="alice")
    desk.deliver()
    (received,) = desk.receiver.at("/hook?token=abc")
    told = received.verified(WebhookSecrets(desk.redis, desk.settings).of("alice"))
    assert told["type"] == "job.canceled"
    assert told["data"] == desk.jobs.get(job.id).model_dump(mode="json")
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert received.headers["content-type"] == "application/json"
    assert received.id.startswith("msg_")
    assert b"token" not in received.body
    assert b"alice" not in received.body
    assert desk.due() == []


def test_the_webhook_of_a_job_of_another_version_waits_for_who_understands_it(desk: Desk) -> None:
    job = desk.canceled("/hook")
    record = PaintingJob.fetch(job.id, connection=desk.redis, serializer="json")
    understood = record.kwargs
    record.kwargs = {**understood, "version": 2}
    record.save()
    desk.deliver()
    assert desk.receiver.at("/hook") == []
    (due,) = desk.due()
    assert due == pytest.approx(BACK_OFF_SECONDS[0], abs=2)
    record.kwargs = understood
    record.save()
    desk.make_due()
    desk.deliver()
    assert len(desk.receiver.at("/hook")) == 1


def test_a_secret_is_an_owners_own_and_stays(redis: Redis, settings: Settings) -> None:
    secrets = WebhookSecrets(redis, settings)
    assert len({secrets.of(owner) for owner in (None, "null", "alice", "bob")}) == 4
    assert WebhookSecrets(redis, settings).of("alice") == secrets.of("alice")
    redis.flushall()
    assert WebhookSecrets(redis, settings).of("alice") != secrets.of("bob")


def test_a_servers_secret_from_the_settings_is_not_kept_in_redis(
    redis: Redis, settings: Settings
) -> None:
    given = Settings(**{**settings.model_dump(), "webhook_secret": "x" * 16})
    first = WebhookSecrets(redis, given).of("alice")
    redis.flushall()
    assert WebhookSecrets(redis, given).of("alice") == first
    assert redis.keys() == []
    assert "xxxx" not in repr(given)


def test_a_servers_secret_that_can_be_guessed_is_refused_and_not_repeated(
    redis: Redis, settings: Settings
) -> None:
    for weak in ("", "hunter2"):
        given = Settings(**{**settings.model_dump(), "webhook_secret": weak})
        with pytest.raises(SettingsError, match=f"Received: {len(weak)}") as refused:
            WebhookSecrets(redis, given)
        assert not weak or weak not in str(refused.value)


def test_only_what_was_asked_for_is_told(desk: Desk) -> None:
    quiet, chatty = desk.submit("/quiet"), desk.submit("/chatty", "running", "canceled")
    desk.begin(quiet)
    desk.begin(chatty)
    desk.deliver()
    assert desk.receiver.at("/quiet") == []
    assert [json.loads(r.body)["type"] for r in desk.receiver.at("/chatty")] == ["job.running"]


def test_of_several_beginnings_the_last_is_told(desk: Desk) -> None:
    job = desk.submit("/hook", "running")
    desk.begin(job)
    desk.begin(job)
    assert len(desk.due()) == 1
    desk.deliver()
    desk.begin(job)
    desk.deliver()
    first, second = desk.receiver.at("/hook")
    assert first.id != second.id


def test_the_next_beginning_is_told_anew_and_not_as_the_one_that_did_not_arrive(
    desk: Desk,
) -> None:
    desk.receiver.answers["/hook"] = (500, {})
    job = desk.submit("/hook", "running")
    desk.begin(job)
    desk.deliver()
    desk.jobs.note(job.id, attempt=2)
    desk.begin(job)
    desk.deliver()
    first, second = desk.receiver.at("/hook")
    assert json.loads(first.body)["data"]["attempt"] == 0
    assert json.loads(second.body)["data"]["attempt"] == 2
    (pause,) = desk.due()
    assert pause <= BACK_OFF_SECONDS[0] * 1.2, "its first attempt"


def test_a_beginning_that_is_told_meanwhile_does_not_settle_the_next(desk: Desk) -> None:
    job = desk.submit("/slow", "running")
    desk.begin(job)
    desk.courier.send_due()
    desk.receiver.wait("/slow")
    desk.begin(job)
    desk.receiver.released.set()
    assert desk.courier.wait_until_idle(30)
    assert len(desk.due()) == 1
    desk.deliver()
    assert len(desk.receiver.at("/slow")) == 2


def test_a_status_that_is_not_written_is_not_told(desk: Desk) -> None:
    record = PaintingJob.fetch(desk.submit("/hook").id, connection=desk.redis, serializer="json")
    with desk.jobs.connection.pipeline() as pipeline:
        record.set_status(JobStatus.FAILED, pipeline)
    assert desk.due() == []


def test_what_is_refused_with_500_is_sent_again_later_with_the_same_id_and_body(desk: Desk) -> None:
    desk.receiver.answers["/hook"] = (500, {})
    job = desk.canceled("/hook")
    began = time.time()
    desk.deliver()
    (pause,) = desk.due()
    assert BACK_OFF_SECONDS[0] <= pause + time.time() - began
    assert pause <= BACK_OFF_SECONDS[0] * 1.2
    desk.deliver()
    assert len(desk.receiver.at("/hook")) == 1, "it is not due yet"
    desk.receiver.answers.clear()
    desk.redis.delete(PaintingJob.key_for(job.id))  # as its time to live does
    desk.make_due()
    desk.deliver()
    first, second = desk.receiver.at("/hook")
    assert (second.id, second.body) == (first.id, first.body)
    second.verified(WebhookSecrets(desk.redis, desk.settings).of(None))
    assert desk.due() == []
    assert not desk.redis.keys("atelier:webhook:*")


def test_what_never_arrives_is_given_up_after_eight_attempts_and_the_log_tells_no_secret(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.receiver.answers["/hook/x17?token=xyz"] = (500, {})
    job = desk.canceled("/hook/x17?token=xyz")
    pauses = []
    for _ in range(MAX_ATTEMPTS):
        began = time.time()
        desk.deliver()
        # From before the attempt, and from now: the pause lies between these.
        pauses += [(pause + time.time() - began, pause) for pause in desk.due()]
        desk.make_due()
    desk.deliver()
    assert len(desk.receiver.at("/hook/x17?token=xyz")) == MAX_ATTEMPTS == 8
    asked = zip(pauses, BACK_OFF_SECONDS, strict=True)
    assert all(planned <= most and least <= 1.2 * planned for (most, least), planned in asked)
    assert desk.due() == []
    said = [record.getMessage() for record in caplog.records]
    (last,) = [line for line in said if "given up" in line]
    assert job.id in last
    assert "127.0.0.1" in last
    assert not [line for line in said if "xyz" in line or "x17" in line or "whsec" in line]


@pytest.mark.parametrize(
    ("status", "retry_after", "at_least", "at_most"),
    [
        (429, "100", 99, 100),
        (503, "100", 99, 100),
        (503, timedelta(minutes=30), 1790, 1800),
        (503, "86400", 3599, 3600),
        (503, "soon", 4, 6),
        (503, "Wed, 21 Oct 2015 07:28:00", 4, 6),
        (503, "-5", 4, 6),
        (500, "100", 4, 6),
    ],
)
def test_a_busy_target_is_left_alone_as_long_as_it_asks_but_an_hour_at_most(
    desk: Desk, status: int, retry_after: str | timedelta, at_least: float, at_most: float
) -> None:
    if isinstance(retry_after, timedelta):
        retry_after = format_datetime(datetime.now(UTC) + retry_after, usegmt=True)
    desk.receiver.answers["/hook"] = (status, {"Retry-After": retry_after})
    desk.canceled("/hook")
    desk.deliver()
    (pause,) = desk.due()
    assert at_least <= pause <= at_most


def test_a_target_that_is_gone_hears_no_more_of_that_owner(desk: Desk) -> None:
    desk.receiver.answers["/hook"] = (410, {})
    desk.canceled("/hook", owner="alice")
    desk.deliver()
    assert desk.due() == []
    desk.receiver.answers.clear()
    for owner in ("alice", "bob"):
        desk.canceled("/hook", owner=owner)
    desk.canceled("/other", owner="alice")
    desk.deliver()
    assert len(desk.receiver.at("/hook")) == 2, "the first and Bob's"
    assert len(desk.receiver.at("/other")) == 1
    (key,) = cast("list[bytes]", desk.redis.keys("atelier:webhook-gone:*"))
    assert 86_000 < desk.redis.ttl(key) <= 86_400
    assert desk.due() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(desk: Desk, status: int) -> None:
    desk.receiver.answers["/hook"] = (status, {"Location": f"{desk.receiver.url}/elsewhere"})
    desk.canceled("/hook")
    desk.deliver()
    assert [received.path for received in desk.receiver.got] == ["/hook"]
    assert len(desk.due()) == 1


def test_no_proxy_of_the_environment_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    desk.canceled("/hook")
    desk.deliver()
    assert len(desk.receiver.at("/hook")) == 1


def test_a_target_that_is_not_there_is_tried_again(desk: Desk) -> None:
    desk.canceled("http://127.0.0.1:1/")
    desk.canceled("http://nowhere.invalid/")
    desk.deliver()
    assert all(pause > 4 for pause in desk.due())
    assert len(desk.due()) == 2


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_a_target_that_never_ends_its_answer_is_left_in_time(
    desk: Desk, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "ATTEMPT_SECONDS", 1.0)
    desk.canceled(path)
    began = time.monotonic()
    desk.deliver()
    assert time.monotonic() - began < 5
    assert len(desk.receiver.at(path)) == 1
    (pause,) = desk.due()
    assert 0 < pause <= BACK_OFF_SECONDS[0] * 1.2


def test_slow_targets_do_not_hold_up_others(desk: Desk) -> None:
    for number in range(PARALLEL - 1):
        desk.canceled(f"/slow/{number}")
    for _ in range(3):
        desk.canceled("/quick")
    for _ in range(3):
        desk.courier.send_due()
        desk.receiver.wait("/quick", within=3)
        assert desk.courier.wait_until_idle(0.3) is False
    assert len(desk.receiver.wait("/quick", count=3, within=3)) == 3
    assert not desk.receiver.released.is_set()


def test_all_threads_are_free_again_after_any_outcome(desk: Desk) -> None:
    desk.receiver.answers["/bad"] = (500, {})
    for _ in range(PARALLEL + 3):
        desk.canceled("/bad")
        desk.canceled("/good")
    while desk.due() and min(desk.due()) <= 0:
        desk.deliver()

    def arrived() -> bool:
        return all(len(desk.receiver.at(path)) == PARALLEL + 3 for path in ("/good", "/bad"))

    eventually(arrived, within=10, what="the last ones arrive")


def test_a_delivery_is_taken_by_one_and_again_by_another_when_its_lease_is_over(desk: Desk) -> None:
    desk.canceled("/hook")
    first = Deliveries(desk.redis).claim()
    assert first is not None
    assert Deliveries(desk.redis).claim() is None
    (lease,) = desk.due()
    assert LEASE_SECONDS - 2 < lease <= LEASE_SECONDS
    desk.make_due()
    second = Deliveries(desk.redis).claim()
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)


def test_a_delivery_that_no_worker_survives_is_given_up(desk: Desk) -> None:
    desk.canceled("/hook")
    for _ in range(MAX_ATTEMPTS):
        assert Deliveries(desk.redis).claim() is not None
        desk.make_due()
    desk.deliver()
    assert desk.receiver.got == []
    assert desk.due() == []


def test_a_deleted_job_takes_its_deliveries_along(desk: Desk) -> None:
    job = desk.submit("/hook", "running", "canceled")
    desk.begin(job)
    assert len(desk.due()) == 1
    desk.jobs.delete(job.id)
    assert desk.redis.keys("*webhook*") == []
    desk.deliver()
    assert desk.receiver.got == []


def test_a_job_that_is_deleted_during_a_delivery_leaves_nothing(desk: Desk) -> None:
    desk.receiver.answers["/slow"] = (500, {})
    job = desk.canceled("/slow")
    desk.courier.send_due()
    desk.receiver.wait("/slow")
    desk.jobs.delete(job.id)
    desk.receiver.released.set()
    assert desk.courier.wait_until_idle(30)
    assert desk.redis.keys("atelier:webhook:*") == []
    assert desk.due() == []


def test_a_delivery_whose_job_is_gone_before_it_was_sent_is_given_up(desk: Desk) -> None:
    desk.redis.delete(PaintingJob.key_for(desk.canceled("/hook").id))
    desk.deliver()
    assert desk.receiver.got == []
    assert desk.due() == []


def test_a_delivery_that_nobody_makes_expires(desk: Desk) -> None:
    name = f"{desk.canceled('/hook').id}:canceled"
    assert desk.redis.ttl(f"atelier:webhook:{name}") > sum(BACK_OFF_SECONDS) * 1.2
    desk.redis.delete(f"atelier:webhook:{name}")
    desk.deliver()
    assert desk.due() == []


def test_the_receiver_of_the_docs_takes_what_is_real_and_refuses_what_is_not(desk: Desk) -> None:
    page = Path(__file__).parents[2] / "docs" / "webhooks.md"
    found = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    secret = WebhookSecrets(desk.redis, desk.settings).of("alice")
    with subprocess.Popen(
        [sys.executable, "-c", found.group(1).replace("8090", "0")],
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as receiver:
        try:
            sockets = psutil.Process(receiver.pid).net_connections
            place = eventually(lambda: sockets("tcp"), within=30, what="it listens")[0].laddr
            job = desk.canceled(f"http://127.0.0.1:{place.port}/", owner="alice")
            desk.canceled(f"http://127.0.0.1:{place.port}/", owner="mallory")
            desk.deliver()
            assert len(desk.due()) == 1, "the other owner's is refused"
            assert receiver.stdout is not None
            assert receiver.stdout.readline().split()[1:] == ["job.canceled", job.id]
        finally:
            receiver.terminate()
