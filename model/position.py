"""Where a painting under way is: all of it that changes."""

from typing import NamedTuple

import tensorflow as tf

from model.optimizers import AdamState, LbfgsState
from model.progress import CurvePoint
from model.steps import Share, State


class Position(NamedTuple):
    """Where a run is.

    Attributes:
        scale: index of the scale.
        step: steps taken on it.
        limit: a loss above it has exploded; None before the scale's first step.
        curve: of the losses, up to here.
        share: of the tensors.
    """

    scale: int
    step: int
    limit: float | None
    curve: tuple[CurvePoint, ...]
    share: Share

    @classmethod
    def at_start_of(
        cls,
        scale: int,
        image: tf.Tensor,
        optimizer: AdamState | LbfgsState,
        curve: tuple[CurvePoint, ...] = (),
    ) -> "Position":
        """Before the first step of a scale, from an image and the optimiser's state there."""
        share = Share(State(image, tf.zeros_like(image), optimizer))
        return cls(scale, 0, None, curve, share)
