"""Threads that feed a bounded queue and stop together, in TensorFlow's words.

`tf.train.Coordinator` is public, works in eager mode and is used as it is. Its companion
`tf.compat.v1.train.QueueRunner` is deprecated and raises in eager mode, and `tf.queue.FIFOQueue`
holds tensors only. Here are both for Python objects; they depart from TensorFlow's in this:

- An enqueue op is a plain callable. There are no sessions: runs are counted per coordinator.
- The coordinator keeps the first error only, so the runner logs and keeps every one. `SystemExit`,
  which `threading` drops without a word, is an error like any other.
- `CancelledError` is a clean end too: it is how a closed queue turns its producers away.
- The last thread closes the queue however it ended.
- Enqueue and dequeue take a timeout. Close takes effect at once, where TensorFlow's waits for the
  pending enqueues first, and closing twice is no error.

As in TensorFlow, exhaustion stops only the threads that meet it: `Coordinator.join` returns once
somebody, usually the consumer at its `OutOfRangeError`, requests a stop.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import tensorflow as tf

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False)
class _Attempt(Generic[T]):
    """An enqueue on its way in; `admitted` is None while it waits for room."""

    item: T
    admitted: bool | None = None


class BoundedQueue(Generic[T]):
    """A first-in, first-out queue of Python objects, with the rules of `tf.queue.FIFOQueue`.

    Args:
        capacity: how many items it holds before `enqueue` blocks; at least 1.
        name: what errors and threads call it.

    Raises:
        ValueError: `capacity` is less than 1.
    """

    def __init__(self, capacity: int, name: str) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1. Received: {capacity}")
        self.name = name
        self._capacity = capacity
        self._items: deque[T] = deque()
        # Non-empty only while the queue is full, so an empty queue has nothing on its way.
        self._attempts: deque[_Attempt[T]] = deque()
        self._closed = False
        self._changed = Condition()

    def enqueue(self, item: T, timeout: float | None = None) -> None:
        """Put an item in behind all the others; block while the queue is full.

        Args:
            item: what to put in.
            timeout: seconds to wait for room; None waits for ever.

        Raises:
            tf.errors.CancelledError: the queue is closed, or its close cancelled this call.
            tf.errors.DeadlineExceededError: there was no room within `timeout`.
        """
        attempt = _Attempt(item)
        with self._changed:
            if self._closed:
                raise tf.errors.CancelledError(None, None, f"Queue '{self.name}' is closed.")
            self._attempts.append(attempt)
            self._admit()
            try:
                self._changed.wait_for(lambda: attempt.admitted is not None, timeout)
            finally:
                # Whoever gives up, be it by Ctrl-C, leaves no item behind.
                if attempt.admitted is None:
                    self._attempts.remove(attempt)
        if attempt.admitted is None:
            message = f"Queue '{self.name}' was full for {timeout} s."
            raise tf.errors.DeadlineExceededError(None, None, message)
        if not attempt.admitted:
            raise tf.errors.CancelledError(None, None, f"Queue '{self.name}' was closed.")

    def dequeue(self, timeout: float | None = None) -> T:
        """Take the oldest item out; block while the queue is empty.

        Args:
            timeout: seconds to wait for an item; None waits for ever.

        Raises:
            tf.errors.OutOfRangeError: the queue is closed and empty.
            tf.errors.DeadlineExceededError: there was no item within `timeout`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, timeout):
                message = f"Queue '{self.name}' was empty for {timeout} s."
                raise tf.errors.DeadlineExceededError(None, None, message)
            if not self._items:
                raise tf.errors.OutOfRangeError(None, None, f"Queue '{self.name}' is exhausted.")
            item = self._items.popleft()
            self._admit()
        return item

    def peek(self) -> T | None:
        """Return the oldest item and leave it inside; None if there is none."""
        with self._changed:
            return self._items[0] if self._items else None

    def size(self) -> int:
        """Return how many items the queue holds, not counting pending enqueues."""
        with self._changed:
            return len(self._items)

    def close(self, *, cancel_pending_enqueues: bool = False) -> None:
        """Let nothing more in; what is inside can still be dequeued.

        Args:
            cancel_pending_enqueues: turn away the enqueues that wait; they finish otherwise.
        """
        with self._changed:
            self._closed = True
            while cancel_pending_enqueues and self._attempts:
                self._attempts.popleft().admitted = False
            self._changed.notify_all()

    def is_closed(self) -> bool:
        """Return whether `close` was called; items may be left."""
        with self._changed:
            return self._closed

    def _admit(self) -> None:
        """Move waiting items in while there is room.

        Left to the waking producers, a late one could overtake an early one, and a consumer could
        find a closed queue empty for a moment with an item still to come.
        """
        while self._attempts and len(self._items) < self._capacity:
            attempt = self._attempts.popleft()
            self._items.append(attempt.item)
            attempt.admitted = True
        self._changed.notify_all()


class QueueRunner:
    """Runs each enqueue op over and over in a thread of its own, until stopped or exhausted.

    Source: `tf.train.Coordinator` and `tf.compat.v1.train.QueueRunner` in TensorFlow's API docs.

    Args:
        queue: what the ops feed; closed when they have ended or the coordinator stops.
        enqueue_ops: callables that each enqueue to `queue`; one thread per op.
        name: the beginning of the threads' names; the queue's name by default.
        queue_closed_exception_types: what an op raises to end its thread cleanly.

    Raises:
        ValueError: there are no enqueue ops.
    """

    def __init__(
        self,
        queue: BoundedQueue[Any],
        enqueue_ops: Sequence[Callable[[], object]],
        *,
        name: str | None = None,
        queue_closed_exception_types: tuple[type[BaseException], ...] = (
            tf.errors.OutOfRangeError,
            tf.errors.CancelledError,
        ),
    ) -> None:
        if not enqueue_ops:
            raise ValueError(f"enqueue_ops must not be empty. Received: {enqueue_ops!r}")
        self.queue = queue
        self.name = queue.name if name is None else name
        self._enqueue_ops = tuple(enqueue_ops)
        self._queue_closed_exception_types = queue_closed_exception_types
        self._lock = Lock()
        self._runs: WeakKeyDictionary[tf.train.Coordinator, int] = WeakKeyDictionary()
        self._exceptions_raised: list[BaseException] = []

    @property
    def exceptions_raised(self) -> list[BaseException]:
        """What the ops raised since `create_threads`, oldest first, clean ends left out."""
        with self._lock:
            return list(self._exceptions_raised)

    def create_threads(
        self, coord: tf.train.Coordinator, *, daemon: bool = False, start: bool = False
    ) -> list[Thread]:
        """Create one thread per op, and one that closes the queue when the coordinator stops.

        Args:
            coord: is asked whether to stop, told of errors, and joins the threads.
            daemon: whether the process may exit while a thread still runs.
            start: start them. Otherwise do so before `coord.join`, which takes a thread that
                was never started for one that has ended.

        Returns:
            The threads; none when those of an earlier call for `coord` have not ended.
        """
        with self._lock:
            if self._runs.get(coord, 0):
                return []
            self._runs[coord] = len(self._enqueue_ops)
            self._exceptions_raised = []
        threads = [
            Thread(target=self._run, args=(op, coord), name=name, daemon=daemon)
            for op, name in zip(self._enqueue_ops, self._thread_names(), strict=True)
        ]
        name = f"{self.name}-close_on_stop"
        threads.append(Thread(target=self._close_on_stop, args=(coord,), name=name, daemon=daemon))
        for thread in threads:
            coord.register_thread(thread)
            if start:
                thread.start()
        return threads

    def _thread_names(self) -> list[str]:
        """Name threads after their ops, or by index where that would name none or several."""
        ops = [getattr(op, "__name__", None) for op in self._enqueue_ops]
        unique = [op if op and ops.count(op) == 1 else index for index, op in enumerate(ops)]
        return [f"{self.name}-{op}" for op in unique]

    def _run(self, enqueue_op: Callable[[], object], coord: tf.train.Coordinator) -> None:
        try:
            while not coord.should_stop():
                enqueue_op()
        except self._queue_closed_exception_types as end:
            logger.debug("Queue runner %s: a thread has ended: %s", self.name, end)
        except BaseException as error:
            logger.exception("Queue runner %s: a thread has failed", self.name)
            with self._lock:
                self._exceptions_raised.append(error)
            # Last, because it raises `error` again if the coordinator was joined already.
            coord.request_stop(error)
        finally:
            self._end_run(coord)

    def _end_run(self, coord: tf.train.Coordinator) -> None:
        with self._lock:
            self._runs[coord] -= 1
            is_last = not any(self._runs.values())
        if is_last:
            self.queue.close()

    def _close_on_stop(self, coord: tf.train.Coordinator) -> None:
        coord.wait_for_stop()
        self.queue.close(cancel_pending_enqueues=True)
