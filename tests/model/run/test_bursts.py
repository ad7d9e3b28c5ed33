"""Steps as a GPU takes them: some at once before it is asked for their outcomes, and compiled."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model import compiled, painting
from model.compiled import Compiled
from model.optimizers import OPTIMIZERS
from model.painting import Studio
from model.precision import fastest
from model.run import Run
from model.steps import Steps
from model.vgg import Features
from tests.model.runs import STEPS, Begin, Whole, finish, spoil

PATIENCE_SECONDS = 180.0

#: The CPU by another name than the one for which nothing is compiled.
DEVICE = "CPU:0"


def as_on_a_gpu(run: Run) -> Run:
    objective, optimizer = run._steps.objective, OPTIMIZERS[run._sitting.params.optimizer]()
    return Run(run._sitting, Steps(objective, optimizer, DEVICE))


@pytest.mark.parametrize("chunk", [1, 3, 1000])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_bursts_of_steps_end_in_the_same_picture_as_steps_one_by_one(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, chunk: int
) -> None:
    run = as_on_a_gpu(begin(optimizer=optimizer))
    assert run._steps.burst > 1
    with compiled._ONE_AT_A_TIME:  # nothing is compiled meanwhile
        picture = finish(run, chunk)
    assert picture.tobytes() == whole(optimizer).picture.tobytes()
    assert run.progress() == whole(optimizer).reports[-1]


# Within the first burst, its last step, and within that of the next scale.
@pytest.mark.parametrize(("call", "in_vain"), [(2, 2), (4, 0), (6, 1)])
def test_what_was_taken_after_a_step_that_exploded_is_dropped(
    begin: Begin, call: int, in_vain: int
) -> None:
    one_by_one, at_once = begin(), begin()
    spoil(one_by_one, call.__eq__)
    asked = spoil(at_once, call.__eq__)
    at_once._steps.burst = 8
    expected, found = finish(one_by_one), finish(at_once)
    assert found.tobytes() == expected.tobytes()
    assert at_once.progress().restarts == 1
    assert at_once.progress().curve == one_by_one.progress().curve
    assert len(asked) == STEPS + 2 + in_vain  # it goes back by one step, and takes that again


def test_compiled_steps_end_in_the_same_picture_up_to_rounding(
    begin: Begin, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    # XLA cannot compile Winograd's convolutions, which a GPU does not have.
    monkeypatch.setattr(painting, "fastest", lambda precision, _: fastest(precision, "gpu:0"))
    asked: dict[str, Any] = {"preset": "gatys", "init": "content", "size": 64, "steps": 6}
    asked["within"] = Studio(features, precision="float32")
    run = as_on_a_gpu(begin(**asked))
    graph = run._steps._whole
    assert isinstance(graph, Compiled)
    run.advance(1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not graph._ready:
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    graph._plain = None  # type: ignore[assignment] # what is compiled is asked from now on
    found, expected = finish(run), finish(begin(**asked))
    assert 0 < np.abs(found - expected).max() < 1e-3
