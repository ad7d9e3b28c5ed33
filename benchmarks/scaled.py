"""A sitting that is painted at given sizes, where a measurement wants others than the recipe's."""

from typing import Self

from model.recipes import Scale
from model.sitting import Sitting


class Scaled(Sitting):
    """A sitting whose scales are given; the last must have the size of the content."""

    @classmethod
    def at(cls, sitting: Sitting, *scales: Scale) -> Self:
        """The same pictures at other scales."""
        found = cls(sitting.content, sitting.styles, sitting.params, sitting.alpha, sitting.regions)
        found.__dict__["scales"] = scales  # where the property would keep what it computes
        return found
