"""Runs that take their steps together."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import tensorflow as tf

from model.errors import DivergedError
from model.steps import Given, Share, State, Steps, joined, together


class Ready(NamedTuple):
    """What a run brings along to take steps together with others.

    Attributes:
        steps: by which they are taken.
        steps_left: of its scale.
        share: of the tensors that change.
        given: what does not change.
    """

    steps: Steps
    steps_left: int
    share: Share
    given: Given


class Member(Protocol):
    """What a group needs of a run."""

    def ready(self) -> Ready:
        """What is needed for the next step."""

    def settle(self, parts: Sequence[float], share: Share) -> bool:
        """Goes on with what a step made of the tensors, or back if its loss exploded.

        Returns:
            Whether it goes on.

        Raises:
            DivergedError: it has been back before.
        """


M = TypeVar("M", bound=Member)


class Group(Generic[M]):
    """Runs that take steps together."""

    def __init__(self, runs: Sequence[M]) -> None:
        self._runs = runs
        ready = [run.ready() for run in runs]
        self._steps = ready[0].steps
        self._most = min(one.steps_left for one in ready)
        self._state = together([one.share for one in ready])
        self._given = joined([one.given for one in ready])
        self._all_go_on = True
        self._diverged: dict[M, DivergedError] = {}

    def advance(self, steps: int) -> dict[M, DivergedError]:
        """Takes up to so many steps, until the scale of a run ends or it goes back.

        Returns:
            The runs that have diverged.
        """
        left = min(steps, self._most)
        while left and self._all_go_on:
            left -= self._take(min(left, self._steps.burst))
        return self._diverged

    def _take(self, count: int) -> int:
        """Takes so many steps before it asks for their outcomes."""
        states, outcomes = [], []
        for _ in range(count):
            self._state, parts = self._steps.take(self._state, self._given)
            states.append(self._state)
            outcomes.append(parts)
        for state, of_all in zip(states, tf.stack(outcomes).numpy().tolist(), strict=True):
            if self._all_go_on:
                self._settle(state, of_all)
        return count

    def _settle(self, state: State, of_all: list[list[float]]) -> None:
        for index, (run, parts) in enumerate(zip(self._runs, of_all, strict=True)):
            try:
                self._all_go_on &= run.settle(parts, Share(state, index))
            except DivergedError as error:
                self._diverged[run] = error
                self._all_go_on = False
