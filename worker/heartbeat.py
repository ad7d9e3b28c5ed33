"""The heartbeat of a job whose thread is busy: with decoding, encoding, or waiting for a store."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from worker.connections import RedisAway


@contextmanager
def beating(
    beat: Callable[[], None], each: float, at_most: float, give_up: Callable[[], None]
) -> Iterator[None]:
    """Calls ``beat`` each so many seconds, from a thread of its own, until the context is left.

    Args:
        beat: says that the job is alive; that Redis does not answer is no matter.
        each: seconds between two of them.
        at_most: for so many seconds: what takes longer hangs. Those in which Redis does not answer
            do not count.
        give_up: is called then, and the job is for others.

    Raises:
        BaseException: what else one of them raised, when the context is left.
    """
    over = threading.Event()

    def go_on() -> None:
        left = at_most
        while left > 0:
            with suppress(*RedisAway):
                beat()
                left -= each
            if over.wait(each):
                return
        give_up()

    with ThreadPoolExecutor(1, thread_name_prefix="heartbeat") as thread:
        beats = thread.submit(go_on)
        try:
            yield
        finally:
            over.set()
        beats.result()
