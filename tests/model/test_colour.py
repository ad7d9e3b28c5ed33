"""Colours given to a picture, and kept from it."""

import numpy as np
import numpy.typing as npt
import pytest

from model import colour
from model.colour import Array, match_colours, with_lightness_of

Doubles = npt.NDArray[np.float64]


def cloud(mean: list[float], spread: float, seed: int, shape: tuple[int, int] = (40, 50)) -> Array:
    """Colours scattered about a mean, channels correlated, none clipped."""
    rng = np.random.default_rng(seed)
    mix = rng.uniform(-1, 1, (3, 3)) / 3
    return np.asarray(mean + spread * rng.uniform(-1, 1, (*shape, 3)) @ mix, np.float32)


def moments(picture: Array) -> tuple[Doubles, Doubles]:
    pixels = picture.reshape(-1, 3).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels.T)


def hue_and_chroma(picture: Array) -> tuple[Doubles, Doubles]:
    lab = colour._to_lab(picture)
    return np.arctan2(lab[..., 2], lab[..., 1]), np.hypot(lab[..., 1], lab[..., 2])


def test_a_matched_picture_has_the_mean_and_the_covariance_of_the_reference() -> None:
    picture, reference = cloud([0.5, 0.4, 0.6], 0.6, 1), cloud([0.6, 0.5, 0.4], 0.3, 2, (30, 20))
    found, wanted = moments(match_colours(picture, reference)), moments(reference)
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-4)
    np.testing.assert_allclose(found[1], wanted[1], atol=6e-5)


def test_a_picture_matched_to_itself_stays_as_it_is() -> None:
    picture = cloud([0.5, 0.4, 0.6], 0.4, 1)
    np.testing.assert_allclose(match_colours(picture, picture), picture, atol=1e-4)


def test_pixels_that_do_not_count_have_no_part_in_the_matching() -> None:
    picture, reference = cloud([0.5, 0.4, 0.6], 0.6, 1), cloud([0.6, 0.5, 0.4], 0.3, 2, (30, 20))
    left, top = np.zeros((40, 50), np.float32), np.zeros((30, 20), np.float32)
    left[:, :25], top[:15] = 0.3, 1.0
    expected = match_colours(picture[:, :25], reference[:15])
    found = match_colours(picture, reference, left, top)
    np.testing.assert_allclose(found[:, :25], expected, atol=1e-4)
    wanted = moments(reference[:15])
    np.testing.assert_allclose(moments(found[:, :25])[0], wanted[0], atol=1e-4)
    np.testing.assert_allclose(moments(found[:, :25])[1], wanted[1], atol=6e-5)
    assert np.abs(moments(reference)[0] - wanted[0]).max() > 1e-3


def test_a_pixel_of_twice_the_weight_counts_as_two() -> None:
    picture, reference = cloud([0.5] * 3, 0.4, 1), cloud([0.6, 0.5, 0.4], 0.3, 2)
    counts = np.random.default_rng(3).integers(0, 4, reference.shape[:2])
    repeated = np.repeat(reference.reshape(-1, 3), counts.ravel(), axis=0)[np.newaxis]
    found = match_colours(picture, reference, None, counts.astype(np.float32))
    np.testing.assert_allclose(found, match_colours(picture, repeated), atol=1e-3)


def test_one_pixel_that_counts_gives_its_colour() -> None:
    picture, reference = cloud([0.5] * 3, 0.4, 1), cloud([0.6, 0.5, 0.4], 0.3, 2)
    alone = np.zeros(reference.shape[:2], np.float32)
    alone[3, 4] = 1.0
    found = match_colours(picture, reference, None, alone)
    np.testing.assert_allclose(found, np.broadcast_to(reference[3, 4], found.shape), atol=0.02)


def test_matching_keeps_the_size_of_the_picture_and_the_type() -> None:
    matched = match_colours(cloud([0.5] * 3, 0.3, 1, (9, 7)), cloud([0.5] * 3, 0.3, 2, (5, 6)))
    assert matched.shape == (9, 7, 3)
    assert matched.dtype == np.float32


def test_matching_is_a_symmetric_map_of_colours() -> None:
    # Of all maps with these moments the symmetric one moves colours least.
    picture = cloud([0.5, 0.4, 0.6], 0.4, 1)
    matched = match_colours(picture, cloud([0.5, 0.5, 0.45], 0.3, 2))
    one, other = (p.reshape(-1, 3) - p.reshape(-1, 3).mean(axis=0) for p in (picture, matched))
    map_, *_ = np.linalg.lstsq(one, other, rcond=None)
    np.testing.assert_allclose(map_, map_.T, atol=1e-3)
    assert np.linalg.eigvalsh(map_).min() > 0


def test_what_is_matched_can_be_shown() -> None:
    matched = match_colours(cloud([0.5] * 3, 0.5, 1), np.round(cloud([0.5] * 3, 2.0, 2)))
    assert matched.min() == 0.0
    assert matched.max() == 1.0


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_a_grey_photograph_stays_smooth_in_strong_colours(noise: float) -> None:
    rng = np.random.default_rng(3)
    ramp = np.repeat(np.linspace(0.1, 0.9, 50, dtype=np.float32)[None, :, None], 3, axis=2)
    grey = np.repeat(ramp, 40, axis=0) + noise * rng.standard_normal((40, 50, 3), np.float32)
    matched = match_colours(grey, cloud([0.5, 0.4, 0.3], 1.0, 2))
    assert np.isfinite(matched).all()
    np.testing.assert_allclose(matched, matched[:1].repeat(40, axis=0), atol=0.05)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_picture_of_one_colour_takes_the_mean_colour(level: float) -> None:
    matched = match_colours(np.full((8, 8, 3), level, np.float32), cloud([0.6, 0.5, 0.3], 0.4, 2))
    expected = cloud([0.6, 0.5, 0.3], 0.4, 2).mean(axis=(0, 1))
    np.testing.assert_allclose(matched, np.broadcast_to(expected, (8, 8, 3)), atol=1e-3)


def test_a_style_of_one_colour_gives_nearly_that_colour() -> None:
    matched = match_colours(cloud([0.5] * 3, 0.5, 1), np.full((8, 8, 3), 0.25, np.float32))
    np.testing.assert_allclose(matched, 0.25, atol=0.02)


@pytest.mark.parametrize(
    ("rgb", "lab"),  # CIE L*a*b*, D65
    [
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 1.0, 0.0), (87.73, -86.18, 83.18)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.5, 0.5, 0.5), (53.39, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_srgb_to_lab_has_the_published_values(
    rgb: tuple[float, ...], lab: tuple[float, ...]
) -> None:
    found = colour._to_lab(np.array(rgb, np.float32))
    np.testing.assert_allclose(found, np.array(lab), atol=0.02)


def test_lab_and_back_is_where_one_started() -> None:
    levels = np.linspace(0, 1, 12, dtype=np.float32)
    every = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(12, 144, 3)
    np.testing.assert_allclose(colour._from_lab(colour._to_lab(every)), every, atol=1e-5)


def test_the_painted_lightness_comes_under_the_hues_of_the_photograph() -> None:
    photograph, painted = cloud([0.6, 0.5, 0.4], 0.2, 1), cloud([0.5, 0.5, 0.5], 0.15, 2)
    mixed = with_lightness_of(photograph, painted)
    assert mixed.dtype == np.float32
    lightness = colour._to_lab(painted)[..., 0]
    np.testing.assert_allclose(colour._to_lab(mixed)[..., 0], lightness, atol=0.01)
    for kept, given in zip(hue_and_chroma(mixed), hue_and_chroma(photograph), strict=True):
        np.testing.assert_allclose(kept, given, atol=0.02)


def test_lightness_under_colours_that_are_not_to_be_had_stays_in_range() -> None:
    blue = np.full((4, 4, 3), [0.0, 0.0, 1.0], np.float32)
    mixed = with_lightness_of(blue, np.ones((4, 4, 3), np.float32))
    assert np.isfinite(mixed).all()
    assert mixed.min() >= 0.0
    assert mixed.max() <= 1.0


def test_neither_picture_is_changed() -> None:
    one, two = cloud([0.5] * 3, 0.4, 1), cloud([0.5] * 3, 0.4, 2)
    before = one.tobytes(), two.tobytes()
    match_colours(one, two)
    with_lightness_of(one, two)
    assert (one.tobytes(), two.tobytes()) == before


def test_the_mean_of_millions_of_pixels_does_not_drift() -> None:
    reference = np.full((2048, 2048, 3), 0.3, np.float32)
    matched = match_colours(np.full((8, 8, 3), 0.5, np.float32), reference)
    np.testing.assert_allclose(matched, 0.3, atol=1e-3)
