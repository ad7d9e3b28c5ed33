"""Checkpoints that do not fit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model import checkpoint, recipes
from model.errors import CheckpointError
from model.optimizers import Adam
from model.painting import Studio
from model.vgg import Features
from tests.model.runs import SIZES, STEPS, Begin, Whole, finish


@pytest.mark.parametrize(
    "other",
    [
        {"content": np.zeros((48, 64, 3), np.float32)},
        {"styles": (np.zeros((64, 64, 3), np.float32),)},
        {"steps": STEPS + 1},
        {"optimizer": "lbfgs"},
        {"style_weight": 1.01},
        {"pooling": "max"},
        {"seed": 1},
    ],
)
def test_a_checkpoint_of_another_painting_is_refused(
    begin: Begin, whole: Callable[[str], Whole], other: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match="another painting"):
        begin(**other).restore(whole("adam").checkpoints[2])


def test_a_checkpoint_of_other_features_or_numbers_is_refused(
    begin: Begin, whole: Callable[[str], Whole], features: Features
) -> None:
    learned = replace(features, sha256="1ea4" * 16)
    for other in (
        Studio(learned, precision="float32"),
        Studio(features, precision="bfloat16"),
    ):
        with pytest.raises(CheckpointError, match="another painting"):
            begin(within=other).restore(whole("adam").checkpoints[2])


def test_a_checkpoint_of_another_recipe_is_refused(
    begin: Begin,
    whole: Callable[[str], Whole],
    features: Features,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier = whole("adam").checkpoints[2]
    begin(within=Studio(features, precision="float32")).restore(earlier)
    monkeypatch.setattr(recipes, "_EDGES_AFAR", 0.4)
    with pytest.raises(CheckpointError, match="another painting"):
        begin(within=Studio(features, precision="float32")).restore(earlier)


def test_before_checkpoints_become_too_large_there_is_a_last_one_to_go_on_from(
    begin: Begin, whole: Callable[[str], Whole], monkeypatch: pytest.MonkeyPatch
) -> None:
    width, height = SIZES[1]
    state = width * height * 3 * 4 * Adam.images_in_state
    monkeypatch.setattr("model.run._LARGEST_CHECKPOINT", state)
    run = begin()
    stored: list[bool] = []
    last = b""
    while not run.done:
        run.advance(1)
        stored.append(run.can_be_stored)
        if run.is_last_to_be_stored:
            last = run.checkpoint()
    assert stored == [True] * 7 + [False] * 2
    assert last == whole("adam").checkpoints[7]
    again = begin()
    again.restore(last)
    assert np.array_equal(finish(again), whole("adam").picture)


def test_a_run_that_refused_a_checkpoint_can_still_be_painted(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run = begin()
    damaged = whole("adam").checkpoints[2][:-40]
    for bad in (damaged, whole("lbfgs").checkpoints[2], b""):
        with pytest.raises(CheckpointError):
            run.restore(bad)
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_a_checkpoint_holds_the_state_and_whose_it_is_and_no_picture_of_the_sitting(
    whole: Callable[[str], Whole],
) -> None:
    header, arrays = checkpoint.load(whole("adam").checkpoints[6])
    assert (header["scale"], header["step"], header["restarts"]) == (1, 1, 0)
    moments = {"optimizer.first", "optimizer.second", "optimizer.step"}
    assert set(arrays) == {"image", "average", *moments}
