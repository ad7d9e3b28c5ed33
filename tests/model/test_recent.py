"""Values that are kept for the next time."""

from functools import partial
from operator import truediv

from model.recent import Recent


class Asked:
    """Words, as large as they are long, in the order in which they were computed."""

    def __init__(self, capacity: int) -> None:
        self.computed: list[str] = []
        self._recent: Recent[str] = Recent(capacity, len)

    def __call__(self, *keys: str) -> list[str]:
        return [self._recent.get(key, partial(self._compute, key)) for key in keys]

    def _compute(self, key: str) -> str:
        self.computed.append(key)
        return key.upper()


def test_what_was_computed_is_there_the_next_time() -> None:
    asked = Asked(5)
    assert asked("ab", "cde", "ab", "cde") == ["AB", "CDE", "AB", "CDE"]
    assert asked.computed == ["ab", "cde"]


def test_what_was_asked_for_least_recently_makes_room() -> None:
    asked = Asked(6)
    asked("ab", "cd", "ef", "ab", "ghi")
    assert asked.computed == ["ab", "cd", "ef", "ghi"]
    assert asked("ab", "ghi") == ["AB", "GHI"]
    assert asked.computed == ["ab", "cd", "ef", "ghi"]
    assert asked("cd", "ef") == ["CD", "EF"]
    assert asked.computed == ["ab", "cd", "ef", "ghi", "cd", "ef"]


def test_what_is_too_large_is_not_kept_and_leaves_room_for_others() -> None:
    asked = Asked(3)
    assert asked("abcd", "abcd", "ef", "ef") == ["ABCD", "ABCD", "EF", "EF"]
    assert asked.computed == ["abcd", "abcd", "ef"]


def test_what_could_not_be_computed_is_not_kept() -> None:
    recent: Recent[float] = Recent(2, round)
    for divisor in (0, 0, 2):
        try:
            found = recent.get("half", partial(truediv, 1, divisor))
        except ZeroDivisionError:
            continue
    assert found == 0.5
