"""What was computed last, kept for the next time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """The values of the keys that were asked for last. For one thread at a time.

    ``functools.lru_cache`` would keep all that a value is computed from as well: whole pictures.

    Args:
        capacity: how large all of them may be together.
        size: of a value, in the same unit.
    """

    def __init__(self, capacity: int, size: Callable[[T], int]) -> None:
        self._capacity = capacity
        self._size = size
        self._taken = 0
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of a key; computed if it is not at hand."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = self._values[key] = compute()
        self._taken += self._size(value)
        while self._taken > self._capacity:
            _, oldest = self._values.popitem(last=False)
            self._taken -= self._size(oldest)
        return value
