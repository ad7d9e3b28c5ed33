"""The coordinator as we rely on it, our queue, and our queue runner.

The tests of the coordinator guard us against a new TensorFlow, and the queue's rules run against
TensorFlow's own queue too. Names follow TensorFlow's `coordinator_test` and `queue_runner_test`.
"""

import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any, TypeVar

import pytest
import tensorflow as tf

from worker.coordination import BoundedQueue, QueueRunner

DEADLINE_SECONDS = 8
MOMENT_SECONDS = 0.05

pytestmark = pytest.mark.timeout(30)

R = TypeVar("R")


class HouseOnFireError(Exception):
    pass


def burn() -> None:
    raise HouseOnFireError("kitchen")


def begin(call: Callable[[], R]) -> "Future[R]":
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - the future raises it in the test
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def wait_for(event: Event) -> None:
    assert event.wait(DEADLINE_SECONDS), "deadline"


def join_all(threads: list[Thread]) -> None:
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive(), thread.name


def wait_until_pending(queue: BoundedQueue[Any], enqueues: int) -> None:
    with queue._changed:
        assert queue._changed.wait_for(lambda: len(queue._attempts) == enqueues, DEADLINE_SECONDS)


def drain(queue: BoundedQueue[R]) -> list[R]:
    items = []
    try:
        while True:
            items.append(queue.dequeue(DEADLINE_SECONDS))
    except tf.errors.OutOfRangeError:
        return items


@pytest.fixture
def coord() -> Iterator[tf.train.Coordinator]:
    coordinator = tf.train.Coordinator()
    yield coordinator
    # Lets go of whatever waits for a stop still.
    coordinator.request_stop()


@pytest.fixture
def release() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


@pytest.fixture
def queue() -> BoundedQueue[int]:
    return BoundedQueue(capacity=2, name="prepared")


class TestCoordinator:
    def start(self, target: Callable[[], object], count: int = 1) -> list[Thread]:
        threads = [Thread(target=target, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def fail(self, coord: tf.train.Coordinator, error: Exception) -> None:
        try:
            raise error
        except type(error) as raised:
            coord.request_stop(raised)

    def test_stop_api(self, coord: tf.train.Coordinator) -> None:
        assert not coord.should_stop()
        assert not coord.wait_for_stop(MOMENT_SECONDS)
        coord.request_stop()
        assert coord.should_stop()
        assert coord.wait_for_stop(MOMENT_SECONDS)

    def test_stop_async(self, coord: tf.train.Coordinator) -> None:
        stopped = begin(lambda: coord.wait_for_stop(DEADLINE_SECONDS))
        coord.request_stop()
        assert stopped.result(DEADLINE_SECONDS)

    def test_join(self, coord: tf.train.Coordinator) -> None:
        threads = self.start(partial(coord.wait_for_stop, DEADLINE_SECONDS), count=3)
        coord.request_stop()
        coord.join(threads)
        assert not any(thread.is_alive() for thread in threads)
        assert coord.joined

    def test_join_without_a_stop_waits_for_the_threads(
        self, coord: tf.train.Coordinator, release: Event
    ) -> None:
        threads = self.start(partial(release.wait, DEADLINE_SECONDS))
        joined = begin(lambda: coord.join(threads))
        with pytest.raises(TimeoutError):
            joined.result(MOMENT_SECONDS)
        release.set()
        joined.result(DEADLINE_SECONDS)
        assert not coord.should_stop()

    def test_join_all_registered(self, coord: tf.train.Coordinator) -> None:
        threads = self.start(partial(coord.wait_for_stop, DEADLINE_SECONDS), count=3)
        for thread in threads:
            coord.register_thread(thread)
        coord.request_stop()
        coord.join()
        assert not any(thread.is_alive() for thread in threads)

    def test_join_some_registered(self, coord: tf.train.Coordinator, release: Event) -> None:
        registered, passed = self.start(partial(release.wait, DEADLINE_SECONDS), count=2)
        coord.register_thread(registered)
        coord.request_stop()
        with pytest.raises(RuntimeError, match="still running") as stragglers:
            coord.join([passed], stop_grace_period_secs=MOMENT_SECONDS)
        assert registered.name in str(stragglers.value)
        assert passed.name in str(stragglers.value)

    def test_join_takes_a_thread_that_was_never_started_for_one_that_has_ended(
        self, coord: tf.train.Coordinator
    ) -> None:
        coord.register_thread(Thread(target=coord.wait_for_stop))
        coord.join()
        assert coord.joined

    def test_join_grace_expires(self, coord: tf.train.Coordinator, release: Event) -> None:
        (straggler,) = self.start(partial(release.wait, DEADLINE_SECONDS))
        coord.register_thread(straggler)
        coord.request_stop()
        with pytest.raises(RuntimeError, match=f"threads still running: {straggler.name}"):
            coord.join(stop_grace_period_secs=MOMENT_SECONDS)

    def test_join_without_grace_expires(self, coord: tf.train.Coordinator, release: Event) -> None:
        coord.register_thread(*self.start(partial(release.wait, DEADLINE_SECONDS)))
        coord.request_stop()
        coord.join(stop_grace_period_secs=MOMENT_SECONDS, ignore_live_threads=True)
        assert coord.joined

    def test_join_raises_the_error_rather_than_name_the_stragglers(
        self, coord: tf.train.Coordinator, release: Event
    ) -> None:
        coord.register_thread(*self.start(partial(release.wait, DEADLINE_SECONDS)))
        self.fail(coord, HouseOnFireError("kitchen"))
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join(stop_grace_period_secs=MOMENT_SECONDS)

    def test_join_raise_report_exc_info(self, coord: tf.train.Coordinator) -> None:
        def report() -> None:
            try:
                burn()
            except HouseOnFireError:
                coord.request_stop(sys.exc_info())

        waiting = partial(coord.wait_for_stop, DEADLINE_SECONDS)
        threads = [*self.start(report), *self.start(waiting, count=2)]
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join(threads)

    def test_join_raise_report_exception(self, coord: tf.train.Coordinator) -> None:
        threads = self.start(partial(self.fail, coord, HouseOnFireError("kitchen")))
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join(threads)

    def test_join_raises_the_first_of_several(self, coord: tf.train.Coordinator) -> None:
        self.fail(coord, HouseOnFireError("kitchen"))
        self.fail(coord, HouseOnFireError("roof"))
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join()

    def test_join_drops_an_error_reported_after_a_plain_stop(
        self, coord: tf.train.Coordinator
    ) -> None:
        coord.request_stop()
        self.fail(coord, HouseOnFireError("kitchen"))
        coord.join()

    def test_join_raise_report_exception_using_handler(self, coord: tf.train.Coordinator) -> None:
        with coord.stop_on_exception():
            raise HouseOnFireError("kitchen")
        assert coord.should_stop()
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join()

    def test_join_ignores_out_of_range(self, coord: tf.train.Coordinator) -> None:
        with coord.stop_on_exception():
            raise tf.errors.OutOfRangeError(None, None, "exhausted")
        assert coord.should_stop()
        coord.join()

    def test_join_ignores_my_exception_type(self) -> None:
        coord = tf.train.Coordinator(clean_stop_exception_types=(HouseOnFireError,))
        with coord.stop_on_exception():
            raise HouseOnFireError("kitchen")
        assert coord.should_stop()
        coord.join()

    def test_my_exception_types_replace_out_of_range(self) -> None:
        coord = tf.train.Coordinator(clean_stop_exception_types=(HouseOnFireError,))
        with coord.stop_on_exception():
            raise tf.errors.OutOfRangeError(None, None, "exhausted")
        with pytest.raises(tf.errors.OutOfRangeError):
            coord.join()

    def test_stop_on_exception_takes_even_a_system_exit(self, coord: tf.train.Coordinator) -> None:
        with coord.stop_on_exception():
            sys.exit(3)
        with pytest.raises(SystemExit):
            coord.join()

    def test_clear_stop_clears_exception_too(self, coord: tf.train.Coordinator) -> None:
        self.fail(coord, HouseOnFireError("kitchen"))
        coord.clear_stop()
        assert not coord.should_stop()
        coord.request_stop()
        coord.join()

    def test_request_stop_raises_if_joined(self, coord: tf.train.Coordinator) -> None:
        coord.request_stop()
        coord.join()
        coord.request_stop()
        with pytest.raises(HouseOnFireError, match="too late"):
            self.fail(coord, HouseOnFireError("too late"))


class OfTensorFlow(BoundedQueue[int]):
    """`tf.queue.FIFOQueue` behind our queue's face."""

    def __init__(self, capacity: int, name: str) -> None:
        super().__init__(capacity, name)
        self._queue = tf.queue.FIFOQueue(capacity, [tf.int64], shapes=[[]])

    def enqueue(self, item: int, timeout: float | None = None) -> None:
        assert timeout is None
        self._queue.enqueue(tf.constant(item, tf.int64))

    def dequeue(self, timeout: float | None = None) -> int:  # noqa: ARG002 - it has none
        return int(self._queue.dequeue())

    def size(self) -> int:
        return int(self._queue.size())

    def close(self, *, cancel_pending_enqueues: bool = False) -> None:
        self._queue.close(cancel_pending_enqueues=cancel_pending_enqueues)

    def is_closed(self) -> bool:
        return bool(self._queue.is_closed())


@pytest.mark.parametrize("kind", [BoundedQueue, OfTensorFlow])
class TestQueueLikeTensorFlows:
    def test_items_come_out_in_the_order_they_went_in(self, kind: type[BoundedQueue[int]]) -> None:
        queue = kind(3, "prepared")
        for item in (1, 2, 3):
            queue.enqueue(item)
        assert queue.size() == 3
        assert [queue.dequeue() for _ in range(3)] == [1, 2, 3]
        assert queue.size() == 0

    def test_enqueue_blocks_while_full(self, kind: type[BoundedQueue[int]]) -> None:
        queue = kind(1, "prepared")
        queue.enqueue(1)
        pending = begin(lambda: queue.enqueue(2))
        with pytest.raises(TimeoutError):
            pending.result(MOMENT_SECONDS)
        assert queue.size() == 1
        assert queue.dequeue() == 1
        pending.result(DEADLINE_SECONDS)
        assert queue.dequeue() == 2

    def test_dequeue_blocks_while_empty(self, kind: type[BoundedQueue[int]]) -> None:
        queue = kind(1, "prepared")
        waiting = begin(queue.dequeue)
        with pytest.raises(TimeoutError):
            waiting.result(MOMENT_SECONDS)
        queue.enqueue(1)
        assert waiting.result(DEADLINE_SECONDS) == 1

    def test_closed_it_gives_what_is_left_and_takes_nothing(
        self, kind: type[BoundedQueue[int]]
    ) -> None:
        queue = kind(2, "prepared")
        queue.enqueue(1)
        assert not queue.is_closed()
        queue.close()
        assert queue.is_closed()
        with pytest.raises(tf.errors.CancelledError):
            queue.enqueue(2)
        assert queue.dequeue() == 1
        with pytest.raises(tf.errors.OutOfRangeError):
            queue.dequeue()

    def test_close_wakes_a_waiting_dequeue(self, kind: type[BoundedQueue[int]]) -> None:
        queue = kind(1, "prepared")
        waiting = begin(queue.dequeue)
        with pytest.raises(TimeoutError):
            waiting.result(MOMENT_SECONDS)
        queue.close()
        with pytest.raises(tf.errors.OutOfRangeError):
            waiting.result(DEADLINE_SECONDS)

    def test_close_may_cancel_pending_enqueues(self, kind: type[BoundedQueue[int]]) -> None:
        queue = kind(1, "prepared")
        queue.enqueue(1)
        pending = begin(lambda: queue.enqueue(2))
        with pytest.raises(TimeoutError):
            pending.result(MOMENT_SECONDS)
        queue.close(cancel_pending_enqueues=True)
        with pytest.raises(tf.errors.CancelledError):
            pending.result(DEADLINE_SECONDS)
        assert queue.dequeue() == 1
        with pytest.raises(tf.errors.OutOfRangeError):
            queue.dequeue()


class TestBoundedQueue:
    def test_a_capacity_below_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="Received: 0"):
            BoundedQueue(0, "prepared")

    def test_pending_enqueues_finish_after_close_in_the_order_they_came(self) -> None:
        queue: BoundedQueue[int] = BoundedQueue(1, "prepared")
        queue.enqueue(0)
        pending = []
        for item in range(1, 6):
            pending.append(begin(partial(queue.enqueue, item)))
            wait_until_pending(queue, item)
        queue.close()
        assert drain(queue) == [0, 1, 2, 3, 4, 5]
        for enqueue in pending:
            enqueue.result(DEADLINE_SECONDS)

    def test_an_enqueue_that_times_out_leaves_nothing_behind(self) -> None:
        queue: BoundedQueue[int] = BoundedQueue(1, "prepared")
        queue.enqueue(1)
        with pytest.raises(tf.errors.DeadlineExceededError, match="'prepared' was full"):
            queue.enqueue(2, timeout=MOMENT_SECONDS)
        queue.close()
        assert drain(queue) == [1]

    def test_a_peek_leaves_the_oldest_inside(self, queue: BoundedQueue[int]) -> None:
        assert queue.peek() is None
        queue.enqueue(1)
        queue.enqueue(2)
        assert queue.peek() == 1
        assert queue.size() == 2
        assert queue.dequeue() == 1
        assert queue.peek() == 2

    def test_a_dequeue_waits_its_timeout(self, queue: BoundedQueue[int]) -> None:
        start = time.monotonic()
        with pytest.raises(tf.errors.DeadlineExceededError, match="'prepared' was empty"):
            queue.dequeue(timeout=MOMENT_SECONDS)
        assert time.monotonic() - start >= MOMENT_SECONDS

    def test_a_timeout_of_zero_still_takes_what_is_there(self, queue: BoundedQueue[int]) -> None:
        queue.enqueue(1, timeout=0)
        assert queue.dequeue(timeout=0) == 1

    def test_pending_enqueues_of_a_closed_queue_can_still_be_cancelled(self) -> None:
        queue: BoundedQueue[int] = BoundedQueue(1, "prepared")
        queue.enqueue(1)
        pending = begin(lambda: queue.enqueue(2))
        wait_until_pending(queue, 1)
        queue.close()
        with pytest.raises(TimeoutError):
            pending.result(MOMENT_SECONDS)
        queue.close(cancel_pending_enqueues=True)
        with pytest.raises(tf.errors.CancelledError):
            pending.result(DEADLINE_SECONDS)
        assert drain(queue) == [1]

    def test_many_producers_and_consumers_lose_and_double_nothing(self) -> None:
        queue: BoundedQueue[tuple[int, int]] = BoundedQueue(3, "prepared")
        producers, items = 8, 300

        def produce(producer: int) -> None:
            for item in range(items):
                queue.enqueue((producer, item), timeout=DEADLINE_SECONDS)

        consuming = [begin(lambda: drain(queue)) for _ in range(producers)]
        for producing in [begin(partial(produce, producer)) for producer in range(producers)]:
            producing.result(DEADLINE_SECONDS)
        queue.close()
        consumed = [consumer.result(DEADLINE_SECONDS) for consumer in consuming]
        everything = Counter(itertools.chain(*consumed))
        assert everything == Counter(itertools.product(range(producers), range(items)))
        for mine, producer in itertools.product(consumed, range(producers)):
            of_one = [item for source, item in mine if source == producer]
            assert of_one == sorted(of_one)

    def test_it_never_holds_more_than_its_capacity(self) -> None:
        queue: BoundedQueue[int] = BoundedQueue(3, "prepared")
        pending = [begin(partial(queue.enqueue, item)) for item in range(10)]
        wait_until_pending(queue, 7)
        for left in range(10, 0, -1):
            assert queue.size() == min(left, 3)
            queue.dequeue(DEADLINE_SECONDS)
        for enqueue in pending:
            enqueue.result(DEADLINE_SECONDS)


class Countdown:
    """An enqueue op that counts to a limit and is then exhausted."""

    def __init__(self, limit: int, queue: BoundedQueue[int] | None = None) -> None:
        self.limit = limit
        self.count = 0
        self._queue = queue

    def __call__(self) -> None:
        if self.count == self.limit:
            raise tf.errors.OutOfRangeError(None, None, "exhausted")
        if self._queue:
            self._queue.enqueue(self.count, timeout=DEADLINE_SECONDS)
        self.count += 1


class TestQueueRunner:
    def test_basic(self, coord: tf.train.Coordinator) -> None:
        queue: BoundedQueue[int] = BoundedQueue(10, "prepared")
        runner = QueueRunner(queue, [Countdown(3, queue)])
        thread, _ = runner.create_threads(coord, daemon=True, start=True)
        join_all([thread])
        assert drain(queue) == [0, 1, 2]
        assert runner.exceptions_raised == []
        assert not coord.should_stop()

    def test_two_ops(self, coord: tf.train.Coordinator, queue: BoundedQueue[int]) -> None:
        few, many = Countdown(3), Countdown(30)
        *threads, _ = QueueRunner(queue, [few, many]).create_threads(coord, daemon=True, start=True)
        join_all(threads)
        assert (few.count, many.count) == (3, 30)

    def test_the_last_one_to_end_closes_the_queue(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int], release: Event
    ) -> None:
        def exhausted_on_release() -> None:
            wait_for(release)
            raise tf.errors.OutOfRangeError(None, None, "exhausted")

        runner = QueueRunner(queue, [Countdown(0), exhausted_on_release])
        first, last, _ = runner.create_threads(coord, daemon=True, start=True)
        join_all([first])
        assert not queue.is_closed()
        release.set()
        join_all([last])
        assert queue.is_closed()

    def test_exceptions_captured(
        self,
        coord: tf.train.Coordinator,
        queue: BoundedQueue[int],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        both_run = Barrier(2, timeout=DEADLINE_SECONDS)

        def burn_together() -> None:
            both_run.wait()
            burn()

        runner = QueueRunner(queue, [burn_together, burn_together])
        join_all(runner.create_threads(coord, daemon=True, start=True))
        raised = runner.exceptions_raised
        assert [str(error) for error in raised] == ["kitchen", "kitchen"]
        logged = [record for record in caplog.records if record.name == "worker.coordination"]
        assert {record.exc_info[1] for record in logged if record.exc_info} == set(raised)

    def test_real_dequeue_enqueue(self, coord: tf.train.Coordinator) -> None:
        source: BoundedQueue[int] = BoundedQueue(10, "jobs")
        prepared: BoundedQueue[int] = BoundedQueue(2, "prepared")
        for item in range(10):
            source.enqueue(item)
        source.close()

        def prepare() -> None:
            prepared.enqueue(source.dequeue(), timeout=DEADLINE_SECONDS)

        QueueRunner(prepared, [prepare]).create_threads(coord, daemon=True, start=True)
        assert drain(prepared) == list(range(10))
        coord.request_stop()
        coord.join()

    def test_respect_coord_should_stop(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        op = Countdown(3)
        coord.request_stop()
        QueueRunner(queue, [op]).create_threads(coord, daemon=True, start=True)
        coord.join()
        assert op.count == 0
        assert queue.is_closed()

    def test_request_stop_on_exception(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        QueueRunner(queue, [burn]).create_threads(coord, daemon=True, start=True)
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join()

    def test_all_threads_stop_together_when_one_fails(
        self, coord: tf.train.Coordinator, release: Event
    ) -> None:
        full: BoundedQueue[int] = BoundedQueue(1, "gpu:0")
        empty: BoundedQueue[int] = BoundedQueue(1, "gpu:1")

        def fail_on_release() -> None:
            wait_for(release)
            burn()

        def wait_for_work() -> None:
            with coord.stop_on_exception():
                empty.dequeue()

        feeding = [Countdown(1000, full), Countdown(1000, full)]
        threads = QueueRunner(full, feeding).create_threads(coord, daemon=True, start=True)
        threads += QueueRunner(empty, [fail_on_release]).create_threads(
            coord, daemon=True, start=True
        )
        consumer = Thread(target=wait_for_work, daemon=True)
        consumer.start()
        wait_until_pending(full, 2)
        release.set()
        with pytest.raises(HouseOnFireError, match="kitchen"):
            coord.join([consumer], stop_grace_period_secs=DEADLINE_SECONDS)
        assert not any(thread.is_alive() for thread in [consumer, *threads])
        assert full.is_closed()
        assert empty.is_closed()

    def test_a_system_exit_in_a_thread_stops_the_house(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        QueueRunner(queue, [partial(sys.exit, 3)]).create_threads(coord, daemon=True, start=True)
        assert coord.wait_for_stop(DEADLINE_SECONDS)
        with pytest.raises(SystemExit):
            coord.join()

    def test_grace_period(self, coord: tf.train.Coordinator, queue: BoundedQueue[int]) -> None:
        runner = QueueRunner(queue, [lambda: queue.enqueue(1)])
        threads = runner.create_threads(coord, daemon=True, start=True)
        wait_until_pending(queue, 1)
        coord.request_stop()
        coord.join(stop_grace_period_secs=DEADLINE_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        assert runner.exceptions_raised == []

    def test_my_closed_exception_types(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        runner = QueueRunner(queue, [burn], queue_closed_exception_types=(HouseOnFireError,))
        *threads, _ = runner.create_threads(coord, daemon=True, start=True)
        join_all(threads)
        assert queue.is_closed()
        assert not coord.should_stop()

    def test_ignore_multi_starts(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        runner = QueueRunner(queue, [Countdown(3)])
        threads = runner.create_threads(coord, daemon=True)
        assert len(threads) == 2
        assert runner.create_threads(coord, daemon=True) == []
        for thread in threads:
            thread.start()
        coord.request_stop()
        coord.join()
        coord.clear_stop()
        assert len(runner.create_threads(coord, daemon=True)) == 2

    def test_a_new_start_forgets_the_errors_of_the_last(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        runner = QueueRunner(queue, [burn])
        join_all(runner.create_threads(coord, daemon=True, start=True))
        assert len(runner.exceptions_raised) == 1
        runner.create_threads(coord, daemon=True)
        assert runner.exceptions_raised == []

    def test_multiple_coordinators(
        self, coord: tf.train.Coordinator, queue: BoundedQueue[int]
    ) -> None:
        runner = QueueRunner(queue, [Countdown(0)])
        mine, _ = runner.create_threads(coord, daemon=True)
        theirs, _ = runner.create_threads(tf.train.Coordinator(), daemon=True)
        mine.start()
        join_all([mine])
        assert not queue.is_closed()
        theirs.start()
        join_all([theirs])
        assert queue.is_closed()

    def test_threads(self, coord: tf.train.Coordinator, queue: BoundedQueue[int]) -> None:
        def prepare() -> None:
            wait_for(stop)

        stop = Event()
        threads = QueueRunner(queue, [prepare, Countdown(1), burn, burn]).create_threads(coord)
        assert [thread.name for thread in threads] == [
            "prepared-prepare",
            "prepared-1",
            "prepared-2",
            "prepared-3",
            "prepared-close_on_stop",
        ]
        assert not any(thread.is_alive() or thread.daemon for thread in threads)
        assert coord._registered_threads == set(threads)

    def test_daemon_threads(self, coord: tf.train.Coordinator, queue: BoundedQueue[int]) -> None:
        threads = QueueRunner(queue, [Countdown(1)]).create_threads(coord, daemon=True)
        assert all(thread.daemon for thread in threads)

    def test_name(self, coord: tf.train.Coordinator, queue: BoundedQueue[int]) -> None:
        assert QueueRunner(queue, [burn]).name == "prepared"
        runner = QueueRunner(queue, [burn], name="intake")
        assert runner.name == "intake"
        assert runner.create_threads(coord)[0].name == "intake-burn"

    def test_no_enqueue_ops(self, queue: BoundedQueue[int]) -> None:
        with pytest.raises(ValueError, match="must not be empty"):
            QueueRunner(queue, [])

    def test_an_error_after_the_join_is_raised_in_its_thread(
        self,
        coord: tf.train.Coordinator,
        queue: BoundedQueue[int],
        release: Event,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        unheard: list[Any] = []
        monkeypatch.setattr("threading.excepthook", unheard.append)

        def fail_on_release() -> None:
            wait_for(release)
            burn()

        runner = QueueRunner(queue, [fail_on_release])
        threads = runner.create_threads(coord, daemon=True, start=True)
        coord.request_stop()
        coord.join(stop_grace_period_secs=MOMENT_SECONDS, ignore_live_threads=True)
        release.set()
        join_all(threads)
        assert [hook.exc_type for hook in unheard] == [HouseOnFireError]
        assert len(runner.exceptions_raised) == 1
