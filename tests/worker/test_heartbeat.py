"""Heartbeats from a thread of their own."""

import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.heartbeat import beating

SOON = 10.0


class Heart:
    """Counts its beats; says when there were so many."""

    def __init__(self, enough: int, trouble: Exception | None = None) -> None:
        self.beats = 0
        self._enough, self._trouble = enough, trouble
        self.has_beaten = threading.Event()

    def beat(self) -> None:
        """One."""
        self.beats += 1
        if self.beats == self._enough:
            self.has_beaten.set()
        if self._trouble is not None:
            raise self._trouble


def never() -> None:
    """Is not called where nothing hangs."""
    raise AssertionError


def test_it_beats_until_it_is_left_and_no_longer() -> None:
    heart = Heart(enough=3)
    with beating(heart.beat, 0.001, SOON, never):
        assert heart.has_beaten.wait(SOON)
    beats = heart.beats
    assert not threading.Event().wait(0.02)
    assert heart.beats == beats


def test_a_redis_that_does_not_answer_stops_it_as_little_as_what_goes_wrong_beside_it() -> None:
    heart = Heart(enough=3, trouble=RedisConnectionError())
    with pytest.raises(LookupError), beating(heart.beat, 0.001, SOON, never):  # noqa: PT012
        assert heart.has_beaten.wait(SOON)
        raise LookupError


def test_it_does_not_beat_for_ever_for_what_hangs() -> None:
    heart, gave_up = Heart(enough=2), threading.Event()
    with beating(heart.beat, 0.001, 0.05, gave_up.set):
        assert gave_up.wait(SOON)
        beats = heart.beats
        assert not threading.Event().wait(0.02)
    assert heart.beats == beats > 0


def test_what_waits_for_redis_does_not_hang() -> None:
    heart = Heart(enough=100, trouble=RedisConnectionError())
    with beating(heart.beat, 0.001, 0.01, never):
        assert heart.has_beaten.wait(SOON)


def test_a_bug_of_its_own_is_told() -> None:
    with pytest.raises(ZeroDivisionError), beating(lambda: 1 / 0, 0.001, SOON, never):  # type: ignore[arg-type]
        pass
