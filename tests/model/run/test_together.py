"""Runs that are painted together: each as if it were alone, but for the noise of float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model.errors import DivergedError
from model.painting import Studio
from model.progress import Progress
from model.run import Run, advance
from model.sitting import Array
from model.vgg import Features
from tests.model.runs import SIZES, STEPS, Begin, finish, finish_together, spoil
from tests.model.sittings import GREEN, RED, bars, prepared

#: Mean absolute difference that rounding makes over nine steps, some ten times what is found. Two
#: pictures of different runs are 0.2 apart.
NOISE = {"adam": 1e-4, "lbfgs": 2e-3}


def apart(one: Array, other: Array) -> float:
    return float(np.abs(one - other).mean())


def reports(outcomes: list[Progress | DivergedError]) -> list[Progress]:
    """What of each run is told, none of which diverged."""
    told = [outcome for outcome in outcomes if isinstance(outcome, Progress)]
    assert len(told) == len(outcomes)
    return told


def spoil_first(runs: list[Run], when: Callable[[int], bool]) -> None:
    """As ``spoil`` does it, the first of runs that remain of one kin."""
    spoil(runs[0], when)
    for run in runs[1:]:
        run._steps = runs[0]._steps


@pytest.fixture
def begin_two(begin: Begin, photo: Array, stripes: Array) -> Callable[..., list[Run]]:
    """Begins two runs of other pictures and weights."""

    def begin_runs(**params: Any) -> list[Run]:
        upside_down = {"content": photo[::-1], "styles": (stripes,), "style_weight": 3.0}
        return [begin(**params), begin(**upside_down, **params)]

    return begin_runs


# --- the same pictures


@pytest.mark.parametrize("chunk", [2, 1000])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_runs_that_are_painted_together_end_in_the_pictures_that_they_end_in_alone(
    begin: Begin, begin_two: Callable[..., list[Run]], optimizer: str, chunk: int
) -> None:
    def begin_three() -> list[Run]:
        noise = begin(optimizer=optimizer, init="noise", seed=3, steps=STEPS + 3)
        return [*begin_two(optimizer=optimizer), noise]

    alone = [finish(run) for run in begin_three()]
    runs = begin_three()
    runs[1].advance(1)  # so that no two are at the same step
    runs[2].advance(2)
    together = finish_together(runs, chunk)
    for found, expected in zip(together, alone, strict=True):
        assert apart(found, expected) < NOISE[optimizer]
    assert min(apart(alone[0], other) for other in alone[1:]) > 100 * NOISE[optimizer]


def test_seeds_and_optimisers_may_differ(begin: Begin) -> None:
    def begin_three() -> list[Run]:
        optimizers = ("lbfgs", "adam", "adam")
        return [begin(init="noise", seed=i, optimizer=x) for i, x in enumerate(optimizers)]

    alone = [finish(run) for run in begin_three()]
    for found, expected in zip(finish_together(begin_three()), alone, strict=True):
        assert apart(found, expected) < NOISE["lbfgs"]


def test_masked_runs_are_painted_together_each_with_its_own_mask(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    def begin_masked() -> list[Run]:
        pairs = ((RED, GREEN), (RED, GREEN, GREEN, GREEN))
        return [
            studio.begin(
                prepared(
                    photo,
                    [strokes],
                    content_mask=bars(64, 48, *colours),
                    style_masks=[bars(64, 64, RED, GREEN)],
                    quality="draft",
                    steps=4,
                )
            )
            for colours in pairs
        ]

    alone = [finish(run) for run in begin_masked()]
    for found, expected in zip(finish_together(begin_masked()), alone, strict=True):
        assert apart(found, expected) < NOISE["adam"]
    assert apart(*alone) > 10 * NOISE["adam"]


def test_each_is_told_of_its_own_losses_and_in_its_place(
    begin_two: Callable[..., list[Run]],
) -> None:
    expected = [run.advance(3) for run in begin_two()]
    found = reports(advance(begin_two(), 3))
    for one, other in zip(found, expected, strict=True):
        assert one.by_layer == pytest.approx(other.by_layer, rel=1e-3)
        assert (one.step, one.fraction) == (other.step, other.fraction)
        assert len(one.curve) == 3
    assert found[0].losses["total"] != pytest.approx(found[1].losses["total"], rel=0.1)


def test_a_run_of_a_checkpoint_that_was_taken_among_others_goes_on_alone(
    begin_two: Callable[..., list[Run]],
) -> None:
    expected = finish(begin_two()[1])
    runs = begin_two()
    advance(runs, 4)
    advance(runs, 2)
    resumed = begin_two()[1]
    resumed.restore(runs[1].checkpoint())
    assert resumed.progress().step == 5
    assert apart(finish(resumed), expected) < NOISE["adam"]
    assert apart(finish(runs[0]), expected) > 100 * NOISE["adam"]


# --- how far they go


def test_fewer_steps_are_taken_where_one_of_them_ends_its_scale(
    begin_two: Callable[..., list[Run]],
) -> None:
    runs = begin_two()
    runs[0].advance(3)
    assert [report.step for report in reports(advance(runs, 1000))] == [4, 1]
    assert runs[0].kin != runs[1].kin
    runs[1].advance(1000)
    assert runs[0].kin == runs[1].kin
    assert [report.step for report in reports(advance(runs, 2))] == [6, 6]
    assert [report.step for report in reports(advance(runs, 2))] == [7, 7]
    assert [report.width for report in reports(advance(runs, 1))] == [SIZES[2][0]] * 2


# --- divergence


# The second step, and the first one of the next scale: there they go on at different scales.
@pytest.mark.parametrize(("call", "steps"), [(2, [0, 2]), (5, [3, 5])])
def test_a_run_that_goes_back_does_not_disturb_the_other(
    begin_two: Callable[..., list[Run]], call: int, steps: list[int]
) -> None:
    careful, other = begin_two()
    spoil(careful, call.__eq__)
    expected = [finish(careful), finish(other)]

    runs = begin_two()
    spoil_first(runs, call.__eq__)
    if call > 4:
        advance(runs, 4)
    told = reports(advance(runs, 1000))  # cut short
    assert [report.step for report in told] == steps
    assert [report.restarts for report in told] == [1, 0]
    assert (runs[0].kin == runs[1].kin) == (call == 2)
    for found, alone in zip(finish_together(runs), expected, strict=True):
        assert apart(found, alone) < NOISE["adam"]
    assert [run.progress().restarts for run in runs] == [1, 0]


def test_a_run_that_diverges_twice_has_its_error_in_its_place_and_the_other_goes_on(
    begin_two: Callable[..., list[Run]],
) -> None:
    expected = finish(begin_two()[1])
    runs = begin_two()
    spoil_first(runs, lambda call: call in {1, 3})
    assert [report.restarts for report in reports(advance(runs, 1000))] == [1, 0]
    failed, going = advance(runs, 1000)
    assert isinstance(failed, DivergedError)
    assert "twice" in str(failed)
    assert isinstance(going, Progress)
    assert (going.step, going.restarts) == (3, 0)
    assert apart(finish(runs[1]), expected) < NOISE["adam"]


# --- kin


@pytest.mark.parametrize(
    "other",
    [
        {"size": 80},
        {"preset": "gatys"},
        {"style_loss": "wasserstein"},
        {"pooling": "max"},
        {"content": np.zeros((40, 64, 3), np.float32)},
    ],
)
def test_runs_of_another_size_or_kind_are_no_kin(begin: Begin, other: dict[str, Any]) -> None:
    assert begin(**other).kin != begin().kin


def test_runs_in_small_tiles_with_masks_or_of_another_studio_are_no_kin(
    begin: Begin, studio: Studio, features: Features, photo: Array, strokes: Array
) -> None:
    run = begin()
    assert studio.begin(run._sitting).kin == run.kin
    assert studio.begin(run._sitting, small_tiles=True).kin != run.kin
    masks = bars(64, 48, RED, GREEN), [bars(64, 64, RED, GREEN)]
    masked = prepared(
        photo, [strokes], content_mask=masks[0], style_masks=masks[1], quality="draft"
    )
    assert studio.begin(masked).kin != run.kin
    assert begin(within=Studio(features, precision="float32")).kin != run.kin


@pytest.mark.parametrize(
    "other",
    [
        {"content": np.zeros((48, 64, 3), np.float32)},
        {"styles": (np.zeros((64, 64, 3), np.float32), np.zeros((50, 30, 3), np.float32))},
        {"content_weight": 2.0, "style_weight": 3.0, "tv_weight": 4.0},
        {"seed": 5},
        {"init": "noise"},
        {"steps": STEPS + 3},
    ],
)
def test_runs_of_other_pictures_weights_seeds_and_steps_are_kin(
    begin: Begin, other: dict[str, Any]
) -> None:
    assert begin(**other).kin == begin().kin


def test_runs_of_l_bfgs_are_no_kin_because_their_histories_differ_in_length(begin: Begin) -> None:
    run = begin(optimizer="lbfgs")
    assert run.kin == run.kin
    assert begin(optimizer="lbfgs").kin != run.kin


def test_a_runs_kin_are_those_whose_next_step_is_at_the_same_scale(begin: Begin) -> None:
    kin = [begin().kin]
    run = begin()
    while not run.done:
        run.advance(1)
        kin.append(run.kin)
    first, second, third = kin[0], kin[4], kin[7]
    assert kin == [first] * 4 + [second] * 3 + [third] * 3
    assert len({first, second, third}) == 3
