import functools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import get_sampling
from scipy import ndimage

from app.presets import PRESETS
from scripts.styles.catalogue import STYLES, render
from scripts.styles.colour import Ramp, from_oklab, to_oklab
from scripts.styles.plane import Noise, grid
from scripts.styles.tesserae import settle

SAMPLES = Path(__file__).parents[2] / "app" / "presets"
SIDE = 96  # small enough to be quick; the stones of the mosaic are then single pixels

every_style = pytest.mark.parametrize("name", STYLES)
small = functools.cache(functools.partial(render, side=SIDE))


@every_style
def test_a_style_fills_a_picture_of_the_size_that_was_asked_for(name: str) -> None:
    picture = small(name)
    assert picture.dtype == np.uint8
    assert max(picture.shape) == SIDE
    assert picture.shape[2] == 3
    assert min(picture.shape[:2]) >= SIDE // 2


@every_style
def test_the_same_seed_paints_the_same_picture(name: str) -> None:
    np.testing.assert_array_equal(small(name), render(name, SIDE))


@every_style
def test_another_seed_paints_another_picture(name: str) -> None:
    assert (small(name) != render(name, SIDE, seed=2)).mean() > 0.1


@every_style
def test_no_flat_area_takes_more_than_a_tenth_of_a_picture(name: str) -> None:
    grey = small(name).mean(axis=-1)
    spread = ndimage.maximum_filter(grey, 5) - ndimage.minimum_filter(grey, 5)
    assert (spread < 4).mean() < 0.1


@every_style
def test_a_style_is_painted_up_to_its_borders(name: str) -> None:
    picture = small(name).astype(float)
    for border in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert border.std(axis=0).max() > 4


@every_style
def test_the_kept_picture_is_full_size_and_its_colours_are_at_full_size_too(name: str) -> None:
    path = SAMPLES / f"{name}.jpg"
    assert path.stat().st_size < 700_000
    with Image.open(path) as picture:
        assert max(picture.size) == 1024
        assert get_sampling(picture) == 0


@every_style
def test_the_kept_picture_is_the_one_that_is_rendered(name: str) -> None:
    # Strokes and stones fall differently at another size; the composition must not.
    with Image.open(SAMPLES / f"{name}.jpg") as picture:
        kept = np.asarray(picture.resize((8, 8), Image.Resampling.BOX), float)
    now = Image.fromarray(render(name, 2 * SIDE)).resize((8, 8), Image.Resampling.BOX)
    assert np.corrcoef(kept.ravel(), np.asarray(now, float).ravel())[0, 1] > 0.8


def test_the_kept_pictures_are_those_of_the_catalogue_and_all_are_described() -> None:
    assert {path.stem for path in SAMPLES.glob("*.jpg")} == set(STYLES)
    assert sum(path.stat().st_size for path in SAMPLES.glob("*.jpg")) < 6_000_000
    assert list(PRESETS) == sorted(STYLES)


def test_noise_is_the_same_at_the_same_point_whatever_the_size_of_the_picture() -> None:
    noise = Noise(np.random.default_rng(5), octaves=1)
    fine, coarse = (noise(*grid(side, 1.0)) for side in (400, 80))
    np.testing.assert_allclose(fine[2::5, 2::5], coarse, atol=1e-3)


def test_colours_survive_the_way_to_oklab_and_back() -> None:
    colours = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    np.testing.assert_allclose(from_oklab(to_oklab(colours)), colours, atol=1e-4)


def test_a_ramp_passes_through_its_colours_at_its_stops() -> None:
    ramp = Ramp("ff0000 00ff00 0000ff", (0.0, 0.25, 1.0))
    np.testing.assert_allclose(ramp(np.array([0.0, 0.25, 1.0])), np.eye(3), atol=0.06)


@pytest.mark.parametrize("stops", [(0.0, 1.0), (0.0, 0.6, 0.6)])
def test_a_ramp_refuses_stops_that_do_not_match_its_colours(stops: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"one rising stop for each colour\. Received: \(0\.0"):
        Ramp("ff0000 00ff00 0000ff", stops)


def test_stones_settle_about_as_far_apart_as_was_asked_for() -> None:
    flow = np.full((120, 120), 0.5)
    stones = settle(flow, np.zeros_like(flow), 0.1, np.random.default_rng(1))
    used = np.unique(stones.owner)
    assert 60 < len(used) < 200
    assert np.median(np.maximum(np.abs(stones.across), np.abs(stones.along))) < 1.0
