"""A run whose loss explodes or leaves the numbers."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from model.errors import DivergedError
from model.objective import loss_weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.run import Run
from model.vgg import Features
from tests.model.runs import STEPS, Begin, Whole, finish, spoil, tell

#: What a picture that has nothing of its targets has for a loss.
_NOTHING = float(np.sum(loss_weights(StyleTransferParams())))


def test_features_that_are_not_finite_fail_after_one_careful_restart(
    begin: Begin, features: Features
) -> None:
    kernels = features.kernels | {
        "block3_conv1": np.full_like(features.kernels["block3_conv1"], np.nan)
    }
    run = begin(within=Studio(replace(features, kernels=kernels), precision="float32"))
    report = run.advance(1)
    assert (report.restarts, report.step, report.fraction) == (1, 0, 0.0)
    assert (report.losses, report.by_layer, report.curve) == ({}, {}, ())
    assert np.isfinite(run.picture()).all()
    with pytest.raises(DivergedError, match="twice"):
        run.advance(1)


# The first step, within a scale, its last step, the first one of the next, and the last of all.
@pytest.mark.parametrize("call", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_that_is_not_finite_once_recovers_and_says_so(
    begin: Begin, optimizer: str, call: int
) -> None:
    run = begin(optimizer=optimizer)
    spoil(run, call.__eq__)
    picture = finish(run)
    assert np.isfinite(picture).all()
    assert picture.shape == (48, 64, 3)
    report = run.progress()
    assert (report.restarts, report.step, report.fraction) == (1, STEPS, 1.0)
    assert all(math.isfinite(loss) for loss in report.losses.values())
    assert [point.step for point in report.curve] == list(range(STEPS))


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": math.nan, "gradient": 1.0},
        {"parts": math.inf, "gradient": 1.0},
        {"parts": 1.0, "gradient": math.nan},
        {"parts": 1000.0, "gradient": 1.0},
    ],
)
def test_losses_and_pictures_that_are_not_finite_and_exploded_losses_are_divergence(
    begin: Begin, wrong: dict[str, float]
) -> None:
    run = begin()
    spoil(run, lambda call: call in {3, 6}, **wrong)
    assert run.advance(2).restarts == 0
    assert run.advance(1).restarts == 1
    assert np.isfinite(run.picture()).all()
    with pytest.raises(DivergedError, match="twice"):
        finish(run)


@pytest.mark.parametrize(("call", "earlier"), [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 4)])
def test_a_run_that_diverged_goes_back_to_the_last_picture_whose_loss_was_sound(
    begin: Begin, call: int, earlier: int
) -> None:
    run = begin()
    asked = spoil(run, call.__eq__)
    finish(run, 1)
    np.testing.assert_array_equal(asked[call], asked[earlier])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_step_is_a_quarter_as_long_after_a_divergence(begin: Begin, optimizer: str) -> None:
    run = begin(init="noise", optimizer=optimizer)
    asked = spoil(run, lambda call: call == 2)
    run.advance(4)  # which ends where it goes back
    run.advance(2)
    usual, careful = (np.asarray(asked[i + 1] - asked[i]) for i in (0, 2))
    np.testing.assert_array_equal(asked[2], asked[0])
    free = (asked[1] > 0.0) & (asked[1] < 1.0)  # elsewhere the range cut the usual step short
    np.testing.assert_allclose(careful[free], 0.25 * usual[free], atol=1e-6)
    assert np.abs(usual[free]).max() > 0.01


@pytest.mark.parametrize(("optimizer", "first"), [("adam", 0.02), ("lbfgs", 0.01)])
def test_after_a_divergence_the_optimiser_begins_anew(
    begin: Begin, optimizer: str, first: float
) -> None:
    run = begin(init="noise", optimizer=optimizer)
    asked = spoil(run, lambda call: call == 4)
    run.advance(4)
    run.advance(2)
    move = np.asarray(asked[5] - asked[4])
    assert np.sqrt(np.mean(move**2)) == pytest.approx(0.25 * first, rel=0.05)


@pytest.mark.parametrize("call", [3, 5])
def test_a_careful_run_does_not_depend_on_how_its_steps_are_cut_into_chunks(
    begin: Begin, whole: Callable[[str], Whole], call: int
) -> None:
    pictures = set()
    for chunk in (1, 2, 1000):
        run = begin()
        spoil(run, call.__eq__)
        pictures.add(finish(run, chunk).tobytes())
    assert len(pictures) == 1
    assert whole("adam").picture.tobytes() not in pictures


@pytest.mark.parametrize("place", [(0, 0), (1, 0), (2, 1)])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_that_diverges_paints_the_same_picture_wherever_it_is_interrupted(
    begin: Begin, optimizer: str, place: tuple[int, int]
) -> None:
    def diverging() -> Run:
        run = begin(optimizer=optimizer)
        # Wherever it comes from, it diverges when it comes to this place, unless it is careful.
        spoil(run, lambda _: (run._now.scale, run._now.step) == place and not run._restarts)
        return run

    run = diverging()
    saved = [run.checkpoint()]
    while not run.progress().restarts:
        run.advance(1)
        saved.append(run.checkpoint())
    run.advance(1)
    saved.append(run.checkpoint())
    finish(run)
    for data in saved[-3:]:  # before it diverged, right afterwards, and a step later
        resumed = diverging()
        resumed.restore(data)
        assert finish(resumed).tobytes() == run.picture().tobytes()
        assert resumed.progress() == run.progress()


def test_a_run_that_diverges_again_after_it_was_resumed_fails(begin: Begin) -> None:
    run = begin()
    spoil(run, lambda _call: True)
    assert run.advance(1).restarts == 1
    resumed = begin()
    resumed.restore(run.checkpoint())
    assert resumed.progress().restarts == 1
    spoil(resumed, lambda _call: True)
    with pytest.raises(DivergedError):
        resumed.advance(1)


def test_a_loss_has_exploded_that_is_ten_times_what_its_scale_began_with(begin: Begin) -> None:
    limit = 10 * (100 + _NOTHING)
    run = begin()
    tell(run, 100.0, 1.0, limit - 1, limit + 1)
    assert run.advance(3).restarts == 0
    assert run.advance(1).restarts == 1


def test_a_scale_that_begins_near_its_targets_may_come_as_far_as_ten_times_from_nothing(
    begin: Begin,
) -> None:
    run = begin(init="style")
    tell(run, 0.0, 10 * _NOTHING - 1, 10 * _NOTHING + 1)
    assert run.advance(2).restarts == 0
    assert run.advance(1).restarts == 1


def test_each_scale_has_a_limit_of_its_own(begin: Begin) -> None:
    run = begin()
    tell(run, 1.0, 1.0, 1.0, 1.0, 1000.0, 9000.0, 1.0, 1.0, 2000.0)
    assert run.advance(4).restarts == 0
    assert run.advance(3).restarts == 0
    assert run.advance(2).restarts == 1


def test_a_resumed_run_has_the_limit_of_its_scale_still(begin: Begin) -> None:
    run = begin()
    tell(run, 1.0, 1.0, 1.0)
    run.advance(3)
    resumed = begin()
    resumed.restore(run.checkpoint())
    tell(resumed, 2000.0)
    assert resumed.advance(1).restarts == 1
