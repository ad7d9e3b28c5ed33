"""A painting that is interrupted and resumed is the same one."""

from collections.abc import Callable

import numpy as np
import pytest

from model.painting import Studio
from model.vgg import Features
from tests.model.runs import SIZES, STEPS, Begin, Whole, finish


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_inputs_give_the_same_bytes(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str
) -> None:
    assert finish(begin(optimizer=optimizer)).tobytes() == whole(optimizer).picture.tobytes()


@pytest.mark.parametrize("chunk", [1, 2, 5])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_picture_does_not_depend_on_how_the_steps_are_cut_into_chunks(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, chunk: int
) -> None:
    picture = finish(begin(optimizer=optimizer), chunk)
    assert picture.tobytes() == whole(optimizer).picture.tobytes()


# Before the first step, after it, within a scale, at its end, at the start of the next one,
# before the last step and after it.
@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_restored_run_repeats_a_step_and_goes_on_to_the_same_picture_bit_for_bit(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, step: int
) -> None:
    undisturbed = whole(optimizer)
    run = begin(optimizer=optimizer)
    run.restore(undisturbed.checkpoints[step])
    found, expected = run.progress(), undisturbed.reports[max(step - 1, 0)]
    assert (found.step, found.fraction) == (expected.step, expected.fraction)
    assert (found.curve, found.losses, found.by_layer) == (expected.curve, {}, {})
    assert run.checkpoint() == undisturbed.checkpoints[step]
    assert finish(run, 2).tobytes() == undisturbed.picture.tobytes()
    assert run.checkpoint() == undisturbed.checkpoints[-1]
    assert run.progress() == undisturbed.reports[-1]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_interrupted_right_after_a_change_of_scale_goes_on_to_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str
) -> None:
    run, resumed = begin(optimizer=optimizer), begin(optimizer=optimizer)
    run.advance(4)
    assert run.advance(0).width == SIZES[1][0]
    resumed.restore(run.checkpoint())
    assert resumed.progress().width == SIZES[0][0]
    assert finish(resumed).tobytes() == whole(optimizer).picture.tobytes()


def test_a_run_that_is_restored_again_and_again_paints_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run = begin()
    for step in range(1, STEPS):
        run.advance(2)  # the one that is repeated, and one more
        while run.progress().step < step:  # a chunk ends with its scale
            run.advance(1)
        data, run = run.checkpoint(), begin()
        run.restore(data)
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_a_run_that_went_on_can_be_taken_back(begin: Begin, whole: Callable[[str], Whole]) -> None:
    run = begin()
    finish(run)
    run.restore(whole("adam").checkpoints[3])
    assert not run.done
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_another_worker_goes_on_to_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole], features: Features
) -> None:
    run = begin(within=Studio(features, precision="float32"))
    run.restore(whole("adam").checkpoints[6])
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_looking_at_a_run_does_not_change_it(begin: Begin, whole: Callable[[str], Whole]) -> None:
    run = begin()
    while not run.done:
        run.advance(1)
        assert run.picture().tobytes() == run.picture().tobytes()
        assert run.checkpoint() == run.checkpoint()
        run.advance(0)
    assert run.picture().tobytes() == whole("adam").picture.tobytes()


def test_runs_that_take_turns_in_a_studio_do_not_disturb_each_other(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    runs = [begin(), begin(optimizer="lbfgs")]
    while not all(run.done for run in runs):
        for run in runs:
            run.advance(2)
    for run, optimizer in zip(runs, ("adam", "lbfgs"), strict=True):
        assert run.picture().tobytes() == whole(optimizer).picture.tobytes()


def test_another_seed_gives_another_picture_where_it_starts_from_noise(begin: Begin) -> None:
    one, same, other = (finish(begin(init="noise", seed=seed, steps=3)) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert np.abs(one - other).mean() > 0.01
