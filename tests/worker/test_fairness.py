"""Whose turn it is in the queue, on a real Valkey without a worker."""

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from rq import Queue

from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.ledger import QUEUE
from worker.painting_job import PaintingJob, as_fields
from worker.settings import Settings
from worker.submitter import PAINT
from worker.upkeep import Upkeep

#: Urgent jobs of a client that go before all others: the rounds that it is ahead.
CREDIT = 8


class Line:
    """The queue, and what a service does with it."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.redis = redis
        self.jobs = Jobs(redis, settings)
        self.queue = self.jobs.queue
        self.made: dict[str, PaintingJob] = {}

    def submit(self, client: str | None, *, priority: str = "normal", name: str = "") -> str:
        """A new job; its id is its name."""
        name = name or f"{client}{len(self.made)}"
        job = cast("PaintingJob", self.queue.create_job(PAINT, job_id=name))
        urgent = {} if priority == "normal" else {"priority": priority}
        job.facts = urgent if client is None else {"client": client, **urgent}
        with self.redis.pipeline() as pipeline:
            if job.facts:
                pipeline.hset(job.key, items=as_fields(job.facts))
            self.jobs.push(job, pipeline)
            pipeline.execute()
        self.made[name] = job
        return name

    def take(self, *, noted: bool = True) -> str | None:
        """The job that a worker gets now; ``noted``: it does not die before it takes note."""
        taken = cast("bytes | None", self.redis.lpop(self.queue.key))
        if noted:
            self.jobs.order.settle(self.redis)
        return taken.decode() if taken else None

    def cancel(self, name: str) -> None:
        with self.redis.pipeline() as pipeline:
            self.jobs.withdraw(self.made[name], pipeline)
            pipeline.execute()

    def put_back(self, name: str) -> None:
        with self.redis.pipeline() as pipeline:
            self.jobs.put_back(self.made[name], pipeline)
            pipeline.execute()

    @property
    def order(self) -> list[str]:
        return list(self.queue.job_ids)

    @property
    def places(self) -> list[int | None]:
        """The places of the jobs in the list, as each would be told."""
        return [self.jobs.order.locate(name, self.redis) for name in self.order]

    @property
    def traces(self) -> list[bytes]:
        return cast("list[bytes]", self.redis.keys("atelier:tags*"))


@pytest.fixture
def line(redis: Redis, settings: Settings) -> Line:
    return Line(redis, settings)


def test_clients_take_turns_however_many_jobs_each_has(line: Line) -> None:
    for client in "cccbba":
        line.submit(client)
    assert line.order == ["c0", "b3", "a5", "c1", "b4", "c2"]


def test_jobs_of_nobody_in_particular_are_one_clients(line: Line) -> None:
    for client in (None, None, "a"):
        line.submit(client)
    assert line.order == ["None0", "a2", "None1"]


def test_one_job_waits_for_one_of_each_other_client(line: Line) -> None:
    for client in "aaaabbbb":
        line.submit(client)
    assert [line.take(), line.take(), line.take()] == ["a0", "b4", "a1"]
    single = line.submit("c")
    assert line.order == ["b5", single, "a2", "b6", "a3", "b7"]


def test_a_client_that_comes_again_and_again_goes_before_nobody_twice(line: Line) -> None:
    for client in "aabc":
        line.submit(client)
    taken = []
    for _ in range(8):
        taken.append(cast("str", line.take()))
        if not taken[-1].startswith("a"):
            line.submit(taken[-1][0])
    assert [name[0] for name in taken[:5]] == ["a", "b", "c", "a", "b"]


def test_urgent_jobs_go_first_in_their_order(line: Line) -> None:
    waiting = [line.submit(client) for client in "ab"]
    urgent = [line.submit(client, priority="high") for client in "bab"]
    assert line.order == [urgent[0], urgent[1], urgent[2], *waiting]


def test_a_client_that_calls_everything_urgent_takes_turns_with_the_others(line: Line) -> None:
    for _ in range(3):
        line.submit("b")
    taken = []
    for _ in range(CREDIT + 6):
        line.submit("a", priority="high")
        taken.append(cast("str", line.take())[0])
    assert "".join(taken) == "a" * CREDIT + "bababa"


def test_who_comes_after_an_urgent_job_is_no_more_ahead_than_others(line: Line) -> None:
    waiting = line.submit("b")
    urgent = line.submit("a", priority="high")
    assert line.take() == urgent
    late = line.submit("c")
    assert line.order == [waiting, late]


def test_urgent_jobs_are_ahead_again_when_there_have_been_none_for_a_while(line: Line) -> None:
    for _ in range(3 * CREDIT):
        line.submit("b")
    for _ in range(CREDIT):
        line.submit("a", priority="high")
        assert cast("str", line.take())[0] == "a"
    for _ in range(CREDIT + 1):
        assert cast("str", line.take())[0] == "b"
    for _ in range(CREDIT):
        line.submit("a", priority="high")
        assert cast("str", line.take())[0] == "a"


def test_a_client_whose_jobs_were_canceled_begins_anew(line: Line) -> None:
    mistaken = [line.submit("a") for _ in range(20)]
    for _ in range(20):
        line.submit("b")
    for name in mistaken:
        line.cancel(name)
    meant = line.submit("a")
    assert line.order.index(meant) == 1


def test_jobs_that_an_older_version_handed_in_come_before_new_ones(line: Line) -> None:
    old = [f"old{number}" for number in range(3)]
    line.redis.rpush(line.queue.key, *old)
    new = [line.submit(client) for client in "aab"]
    assert line.order == [*old, new[0], new[2], new[1]]
    assert [line.take() for _ in range(6)] == [*old, new[0], new[2], new[1]]
    assert line.traces == []


def test_a_job_that_is_put_back_is_next_and_the_others_keep_their_turns(line: Line) -> None:
    a, b = line.submit("a"), line.submit("b")
    assert line.take() == a
    line.put_back(a)
    urgent, late = line.submit("c", priority="high"), line.submit("b")
    assert line.order == [a, urgent, b, late]


def test_a_job_that_was_taken_without_a_word_holds_nobodys_place(line: Line) -> None:
    first = line.submit("a")
    line.submit("a", name="gone")
    last = line.submit("a")
    line.redis.lrem(line.queue.key, 1, "gone")  # as by somebody else's tool
    assert line.order == [first, last]
    second = line.submit("b")
    assert line.order == [first, second, last]


def test_whoever_makes_the_rounds_forgets_the_turns_of_jobs_that_are_gone(
    line: Line, settings: Settings
) -> None:
    line.submit("a")
    line.submit("b")
    while line.take(noted=False):
        assert line.traces
    Upkeep(line.jobs, settings)._make_round()
    assert line.traces == []


def test_the_queue_is_rqs_list_and_nothing_else(line: Line) -> None:
    for client in "aab":
        line.submit(client)
    seen = Queue(QUEUE, connection=line.redis, serializer="json")
    assert seen.job_ids == ["a0", "b2", "a1"]
    job = PaintingJob.fetch("a1", connection=line.redis, serializer="json")
    assert (job.get_status(), job.origin) == ("queued", QUEUE)
    assert job.enqueued_at is not None


# Whatever clients and workers do.


@dataclass
class Waiting:
    """A job in the queue.

    Attributes:
        before: jobs of its flow before it when it came: those that are canceled count as long as
            one behind them is not.
        served: jobs of each flow that were taken since.
    """

    name: str
    before: int
    is_canceled: bool = False
    served: Counter[tuple[str, str]] = field(default_factory=Counter)


SUBMIT = st.tuples(
    st.just("submit"), st.sampled_from("abc"), st.sampled_from(["normal", "normal", "high"])
)
TAKE = st.tuples(st.just("take"), st.booleans(), st.none())
COME_AGAIN = st.tuples(st.just("come again"), st.integers(1, 12), st.none())
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 99), st.none())
PUT_BACK = st.tuples(st.just("put back"), st.none(), st.none())


class Story:
    """What was done to a queue, and what must be true of it.

    Until a job is taken, each other flow is served at most twice more often than the job's own has
    jobs before it: once for each of them, once for the job itself, and once for the present round
    in which its own may have been served already. Urgent flows may use up their credit as well.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._flows: dict[tuple[str, str], list[Waiting]] = {}
        self._last: str | None = None
        self._put_back: list[str] = []

    def submit(self, client: str, priority: str) -> None:
        flow = self._flows.setdefault((client, priority), [])
        name = self._line.submit(client, priority=priority)
        flow.append(Waiting(name, before=len(flow)))

    def come_again(self, times: int) -> None:
        """Whoever is served hands in the next job at once."""
        for _ in range(times):
            if (flow := self.take(noted=True)) is not None:
                self.submit(*flow)

    def take(self, *, noted: bool) -> tuple[str, str] | None:
        """Takes a job; returns its flow."""
        name = self._line.take(noted=noted)
        if name is None:
            assert not self._names()
            return None
        self._last = name
        if name in self._put_back:
            assert self._put_back.pop() == name, "the last that was put back comes first"
            return None
        ((key, flow),) = [(k, f) for k, f in self._flows.items() if name in [w.name for w in f]]
        while (job := flow.pop(0)).name != name:
            assert job.is_canceled, "jobs of one flow leave in their order"
        self._check(job, key)
        for waiting in [w for f in self._flows.values() for w in f]:
            waiting.served[key] += 1
        return key

    def cancel(self, pick: int) -> None:
        if not (names := sorted(self._names() | set(self._put_back))):
            return
        name = names[pick % len(names)]
        self._line.cancel(name)
        self._put_back = [other for other in self._put_back if other != name]
        for flow in self._flows.values():
            for job in flow:
                job.is_canceled |= job.name == name
            while flow and flow[-1].is_canceled:
                flow.pop()

    def put_back(self) -> None:
        if self._last is not None:
            self._line.put_back(self._last)
            self._put_back.append(self._last)
            self._last = None

    def check(self) -> None:
        """The queue has those that wait and no others."""
        assert sorted(self._line.order) == sorted(self._names() | set(self._put_back))

    def end(self) -> None:
        """Each knows its place; all are taken, and nothing is remembered."""
        assert self._line.places == list(range(len(self._line.order)))
        while self._line.order:
            self.take(noted=False)
        self._line.jobs.order.settle(self._line.redis)
        assert self._line.traces == []

    def _check(self, job: Waiting, key: tuple[str, str]) -> None:
        for flow, times in job.served.items():
            if flow != key:
                assert times <= job.before + 2 + CREDIT * (flow[1] == "high"), (job, flow)

    def _names(self) -> set[str]:
        return {job.name for flow in self._flows.values() for job in flow if not job.is_canceled}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(SUBMIT, TAKE, COME_AGAIN, CANCEL, PUT_BACK), min_size=5, max_size=40))
def test_nobody_is_served_more_often_than_a_turn_a_round(
    redis_url: str, settings: Settings, deeds: list[tuple[str, str, str]]
) -> None:
    with connect_impatiently(redis_url) as redis:
        redis.flushall()
        story = Story(Line(redis, settings))
        for deed, *how in deeds:
            match deed:
                case "submit":
                    story.submit(*how)
                case "take":
                    story.take(noted=bool(how[0]))
                case "come again":
                    story.come_again(int(how[0]))
                case "cancel":
                    story.cancel(int(how[0]))
                case "put back":
                    story.put_back()
            story.check()
        story.end()
        redis.flushall()
