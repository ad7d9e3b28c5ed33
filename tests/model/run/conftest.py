"""Runs of nine steps over three scales."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from model import recipes
from model.painting import Studio
from model.params import StyleTransferParams
from model.recipes import Quality
from model.run import Run
from model.sitting import Array, Sitting
from model.vgg import Features
from tests.model.runs import STEPS, Begin, Whole
from tests.networks import a_thin_network, thin_features


@pytest.fixture(scope="module", autouse=True)
def _small_scales() -> Iterator[None]:
    """Lets a picture of 64 pixels have three scales, however the recipes are tuned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "_COARSEST", 32)
        patch.setattr(recipes, "QUALITIES", {"draft": Quality(first_steps=80, steps=40)})
        yield


@pytest.fixture(scope="module")
def features() -> Iterator[Features]:
    """Of a thin network: what befalls a run does not depend on how much it sees."""
    with a_thin_network():
        yield thin_features()


@pytest.fixture(scope="module")
def studio(features: Features) -> Studio:
    """The studio of a worker, in float32; its graphs are traced once for a module."""
    return Studio(features, precision="float32")


@pytest.fixture(scope="module")
def begin(studio: Studio, photo: Array, strokes: Array) -> Begin:
    """Begins a run of nine steps, or of other parameters or pictures."""

    def begin_run(
        content: Array = photo,
        styles: tuple[Array, ...] = (strokes,),
        within: Studio = studio,
        **params: Any,
    ) -> Run:
        asked = {"size": 64, "quality": "draft", "steps": STEPS, **params}
        return within.begin(Sitting.prepare(content, styles, StyleTransferParams(**asked)))

    return begin_run


@pytest.fixture(scope="module")
def whole(begin: Begin) -> Callable[[str], Whole]:
    """The undisturbed run of each optimiser, painted once."""
    painted: dict[str, Whole] = {}

    def paint(optimizer: str) -> Whole:
        if optimizer not in painted:
            run = begin(optimizer=optimizer)
            checkpoints, reports = [run.checkpoint()], [run.progress()]
            while not run.done:
                reports.append(run.advance(1))
                checkpoints.append(run.checkpoint())
            painted[optimizer] = Whole(checkpoints, reports, run.picture())
        return painted[optimizer]

    return paint
