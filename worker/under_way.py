"""The assignments that a device paints at once: what there is room for, and whose turn it is.

The device goes round them, a short chunk of steps each time, and paints together what can be.
Before each chunk it looks around: was a job canceled, does the house stop, is the time up?
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager

from model import tiles
from worker.easel import Easel, take_chunk
from worker.load import Load

#: Pixels of a small picture: where there is room for one, the next job is taken.
_SMALL_PICTURE = 256 * 256


class UnderWay:
    """The easels of one device.

    Args:
        most: how many there may be at once.
        load: is told of them.
    """

    def __init__(self, most: int, load: Load) -> None:
        self._most = most
        self._load = load
        self._easels: list[Easel] = []  # in the order in which they came

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way: then there is room for anything."""
        return not self._easels

    def has_room_for(self, pixels: int) -> bool:
        """Whether so much may join: no more than the network may see of one picture at once."""
        taken = sum(easel.assignment.room for easel in self._easels)
        return len(self._easels) < self._most and taken + pixels <= tiles.LARGEST_KEPT

    def begin(self, easel: Easel) -> None:
        """One more joins."""
        self._easels.append(easel)
        easel.begin()
        self._take_stock()

    def go_round(
        self,
        should_stop: Callable[[], bool],
        at_work: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Takes a chunk of steps with each; with those of one kin together.

        Args:
            should_stop: whether the house stops.
            at_work: in which the device's pulse is taken.
        """
        for group in self._groups():
            with at_work():
                for easel in self._easels:
                    easel.look_around(should_stop)
                take_chunk([easel for easel in group if not easel.is_done])
            self._take_stock()

    def break_off(self, outcome: BaseException) -> None:
        """Ends all of them without a picture, but for those that have one already."""
        for easel in self._easels:
            if not easel.is_done:
                easel.break_off(outcome)
        self._take_stock()

    def _groups(self) -> list[list[Easel]]:
        groups: defaultdict[Hashable, list[Easel]] = defaultdict(list)
        for easel in self._easels:
            groups[easel.kin].append(easel)
        return list(groups.values())

    def _take_stock(self) -> None:
        """Clears away what has ended, and says how much there is to do."""
        ended = [easel for easel in self._easels if easel.is_done]
        self._easels = [easel for easel in self._easels if not easel.is_done]
        self._load.take_note(
            len(self._easels),
            min((easel.seconds_left for easel in self._easels), default=math.inf),
            has_room=not self.is_empty and self.has_room_for(_SMALL_PICTURE),
        )
        self._load.owe(-len(ended))
