"""What a run says of itself."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from model import recipes
from model import run as running
from model.params import StyleTransferParams
from tests.model.runs import SIZES, STEPS, Begin, Whole, finish


def test_progress_goes_from_nothing_to_all_in_the_proportion_of_the_work(
    whole: Callable[[str], Whole],
) -> None:
    reports = whole("adam").reports
    assert [report.step for report in reports] == list(range(STEPS + 1))
    assert {report.steps for report in reports} == {STEPS}
    fractions = [report.fraction for report in reports]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    pixels = [math.prod(SIZES[scale]) for scale in (0, 0, 0, 0, 1, 1, 1, 2, 2)]
    np.testing.assert_allclose(np.diff(fractions), np.array(pixels) / sum(pixels))


def test_progress_says_the_size_of_the_present_scale(whole: Callable[[str], Whole]) -> None:
    sizes = [(report.width, report.height) for report in whole("adam").reports]
    assert sizes == [SIZES[0]] * 5 + [SIZES[1]] * 3 + [SIZES[2]] * 2


def test_progress_tells_the_losses_of_the_last_step_and_none_before_the_first(
    whole: Callable[[str], Whole],
) -> None:
    first, *others = whole("adam").reports
    assert first.losses == {}
    for report in others:
        assert set(report.losses) == {"content", "style", "tv", "total"}
        parts = report.losses["content"] + report.losses["style"] + report.losses["tv"]
        assert report.losses["total"] == pytest.approx(parts, rel=1e-5)
    assert {report.restarts for report in (first, *others)} == {0}


def test_progress_tells_the_losses_layer_by_layer(whole: Callable[[str], Whole]) -> None:
    first, *others = whole("adam").reports
    assert first.by_layer == {}
    layers = recipes.layers(StyleTransferParams())
    contents = [*layers.content, "edges_afar"]
    styles = [*layers.style, *(f"{name}_afar" for name in layers.style_afar)]
    for report in others:
        for kind, names in (("content", contents), ("style", styles)):
            found = [report.by_layer[f"{kind}/{name}"] for name in names]
            assert sum(found) == pytest.approx(report.losses[kind], rel=1e-6)
            assert min(found) > 0.0 or kind == "content"  # which a painting may start with
        assert len(report.by_layer) == len(contents) + len(styles)


def test_the_curve_has_the_losses_before_each_step(whole: Callable[[str], Whole]) -> None:
    reports = whole("adam").reports
    told = [
        (step, report.losses["content"], report.losses["style"], report.losses["tv"])
        for step, report in enumerate(reports[1:])
    ]
    for report in reports:
        assert list(report.curve) == told[: report.step]


@pytest.mark.parametrize(
    ("steps", "points"), [(1, 1), (199, 199), (200, 200), (201, 101), (401, 134), (5000, 200)]
)
def test_a_curve_has_at_most_two_hundred_points_evenly_spaced_over_all_scales(
    begin: Begin, steps: int, points: int
) -> None:
    run = begin(steps=steps)
    run._parts = {"tv": 1.0}
    for number, scale in enumerate(run._sitting.scales):
        for step in range(scale.steps):
            run._now = run._now._replace(scale=number, step=step)
            run._now = run._now._replace(curve=run._curve())
    at = [point.step for point in run.progress().curve]
    assert len(at) == points
    assert at == list(range(0, steps, at[1] if points > 1 else 1))


def test_a_curve_with_gaps_is_the_same_after_an_interruption(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_CURVE_POINTS", 5)
    run = begin()
    saved = []
    while not run.done:
        run.advance(1)
        saved.append(run.checkpoint())
    curve = run.progress().curve
    assert [point.step for point in curve] == [0, 2, 4, 6, 8]
    for data in saved[3:6]:
        run.restore(data)
        finish(run)
        assert run.progress().curve == curve


def test_a_chunk_ends_where_its_scale_ends(begin: Begin) -> None:
    run = begin()
    assert [run.advance(1000).step for _ in SIZES] == [4, 7, 9]
    assert run.done


def test_a_finished_run_takes_no_more_steps(begin: Begin) -> None:
    run = begin(steps=2)
    picture = finish(run)
    assert run.advance(5) == run.progress()
    assert run.progress().step == 2
    assert run.picture().tobytes() == picture.tobytes()


def test_a_run_can_be_looked_at_before_its_first_step(begin: Begin) -> None:
    run = begin()
    assert run.picture().tobytes() == run._sitting.first_image().tobytes()
    assert not run.done
