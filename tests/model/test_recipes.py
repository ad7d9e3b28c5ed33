"""How a request becomes scales, steps and layers."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from model import recipes
from model.images import fit
from model.params import StyleTransferParams
from model.recipes import Scale

QUALITIES = ("draft", "standard", "fine")


def random_requests(number: int) -> list[tuple[int, int, StyleTransferParams]]:
    """Pictures of every aspect, and requests of every kind for them; the same each time."""
    rng = np.random.default_rng(5)
    requests = []
    for _ in range(number):
        width, height = (int(side) for side in np.exp(rng.uniform(np.log(16), np.log(9000), 2)))
        params = StyleTransferParams(
            size=int(rng.integers(64, 4097)),
            quality=QUALITIES[rng.integers(3)],
            steps=[None, 1, 2, 7, int(rng.integers(1, 5001))][rng.integers(5)],
            preset=[None, "gatys"][rng.integers(2)],
        )
        requests.append((width, height, params))
    return requests


@pytest.mark.parametrize(("width", "height", "params"), random_requests(200))
def test_whatever_is_asked_the_last_scale_is_the_size_asked_and_the_steps_are_those_asked(
    width: int, height: int, params: StyleTransferParams
) -> None:
    scales = recipes.scales(params, width, height)
    assert (scales[-1].width, scales[-1].height) == fit(width, height, params.size)
    assert all(scale.steps >= 1 for scale in scales)
    assert [s.pixels for s in scales] == sorted(s.pixels for s in scales)
    for scale in scales:
        assert (scale.width, scale.height) == fit(width, height, max(scale.width, scale.height))
    if params.steps is not None:
        assert sum(scale.steps for scale in scales) == params.steps
    if params.preset == "gatys":
        assert len(scales) == 1


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("size", [512, 1000, 4096])
def test_each_scale_has_twice_the_area_of_the_one_before(size: int, quality: str) -> None:
    params = StyleTransferParams(size=size, quality=quality)
    areas = [scale.pixels for scale in recipes.scales(params, 400, 300)]
    assert len(areas) > 1
    ratios = [finer / coarser for coarser, finer in pairwise(areas)]
    assert ratios == pytest.approx([2.0] * len(ratios), rel=0.02)


def test_a_fitted_picture_has_the_scales_of_the_picture_it_was_fitted_from() -> None:
    for width, height, params in random_requests(100):
        fitted = fit(width, height, params.size)
        assert recipes.scales(params, *fitted)[-1] == recipes.scales(params, width, height)[-1]


@pytest.mark.parametrize("quality", QUALITIES)
def test_no_scale_but_the_last_is_smaller_than_what_the_deep_layers_need(quality: str) -> None:
    for size in (64, 128, 180, 181, 182, 256, 4096):
        params = StyleTransferParams(size=size, quality=quality)
        sides = [scale.width for scale in recipes.scales(params, 400, 300)]
        assert all(side >= 128 for side in sides[:-1])
        assert sides[-1] == size


def test_better_quality_is_more_steps_on_each_of_the_same_scales() -> None:
    draft, standard, fine = (
        recipes.scales(StyleTransferParams(size=1024, quality=quality), 400, 300)
        for quality in QUALITIES
    )
    for rough, usual, best in zip(draft, standard, fine, strict=True):
        assert (rough.width, usual.width) == (usual.width, best.width)
        assert rough.steps < usual.steps < best.steps


@pytest.mark.parametrize("size", [256, 1000, 4096])
def test_all_sizes_begin_at_about_the_same_scale_and_so_with_the_same_large_forms(
    size: int,
) -> None:
    first = recipes.scales(StyleTransferParams(size=size), 400, 300)[0]
    assert 128 <= first.width < 182


def test_a_large_scale_has_fewer_steps_in_proportion_to_its_side() -> None:
    steps = {s.width: s.steps for s in recipes.scales(StyleTransferParams(size=4096), 400, 300)}
    assert steps[512] == 100
    assert steps[1024] == 50
    assert steps[4096] == 12


def test_steps_are_shared_out_as_the_quality_has_them() -> None:
    own = recipes.scales(StyleTransferParams(size=512), 400, 300)
    asked = recipes.scales(StyleTransferParams(size=512, steps=4500), 400, 300)
    total = sum(scale.steps for scale in own)
    for scale, longer in zip(own, asked, strict=True):
        assert longer.steps == pytest.approx(4500 * scale.steps / total, abs=1)


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_finest_scale_gets_a_step_however_few_there_are(quality: str) -> None:
    for steps in range(1, 40):
        params = StyleTransferParams(size=1024, quality=quality, steps=steps)
        scales = recipes.scales(params, 400, 300)
        assert scales[-1].width == 1024
        assert scales[-1].steps >= 1
        assert sum(scale.steps for scale in scales) == steps


def test_a_scale_that_gets_no_step_is_left_out() -> None:
    few = recipes.scales(StyleTransferParams(size=512, steps=3), 400, 300)
    assert few == (Scale(128, 96, 1), Scale(256, 192, 1), Scale(512, 384, 1))


def test_the_work_of_a_scale_is_its_pixels_times_its_steps() -> None:
    assert Scale(30, 20, 4).work == 2400


@pytest.mark.parametrize("preset", [None, "gatys"])
def test_the_weights_of_the_layers_are_a_whole(preset: None) -> None:
    layers = recipes.layers(StyleTransferParams(preset=preset))
    assert sum(layers.content.values()) == pytest.approx(1.0)
    assert sum(layers.style.values()) == pytest.approx(1.0)
    assert set(layers.content) == {"block4_conv2" if preset else "block3_conv2"}
    assert list(layers.style) == [f"block{block}_conv1" for block in range(1, 6)]


def test_the_lectures_preset_weighs_deep_layers_more_and_ours_shallow_ones() -> None:
    lecture = list(recipes.layers(StyleTransferParams(preset="gatys")).style.values())
    assert lecture == pytest.approx([0.05, 0.1, 0.15, 0.3, 0.4])
    ours = np.array(list(recipes.layers(StyleTransferParams()).style.values()))
    assert (np.diff(ours) < 0).all()


def test_what_the_front_of_the_house_needs_of_the_studio_is_free_of_tensorflow() -> None:
    script = (
        "import sys, model.params, model.recipes, model.sitting, model.colour, model.checkpoint\n"
        "import model.progress, model.regions, model.tiles\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
