"""How far a painting is, and what its losses were on the way. Free of TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class CurvePoint(NamedTuple):
    """The weighted losses before a step: the number of steps taken until then, and the losses."""

    step: int
    content: float
    style: float
    tv: float


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: optimisation steps taken, over all scales.
        steps: optimisation steps in all.
        fraction: of the work done, in [0, 1]; a step costs as much as its scale has pixels.
        width: of the picture at the present scale, in pixels.
        height: likewise.
        losses: ``content``, ``style``, ``tv`` and ``total`` before the last step; empty at first.
        by_layer: the same by ``content/<layer>`` and ``style/<layer>``; with ``_afar`` at the end
            what is seen from afar.
        curve: the losses so far, at most 200 points, evenly spread over all steps.
        restarts: times the run had to go back and on with shorter steps, 0 or 1.
    """

    step: int
    steps: int
    fraction: float
    width: int
    height: int
    losses: dict[str, float]
    by_layer: dict[str, float]
    curve: tuple[CurvePoint, ...]
    restarts: int


def summed(parts: Mapping[str, float]) -> dict[str, float]:
    """The losses by kind, and their sum."""
    kinds = {"content": 0.0, "style": 0.0, "tv": 0.0}
    for name, loss in parts.items():
        kinds[name.partition("/")[0]] += loss
    return {**kinds, "total": sum(parts.values())}
