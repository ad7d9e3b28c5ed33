"""The judge of paintings knows near from far."""

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.judge import SMALLEST, StyleJudge, content_correlation, laplacian_pyramid

Array = npt.NDArray[np.float32]


def clouds(seed: int, height: int = 96, width: int = 112) -> Array:
    """Noise with structure at every scale, in colours of its own."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for side in (2, 4, 8, 16):
        rows, columns = -(-height // side), -(-width // side)
        blocks = rng.normal(size=(rows, columns, 3)) * rng.uniform(0.2, 1, 3) * side
        picture += np.kron(blocks, np.ones((side, side, 1)))[:height, :width]
    low, high = picture.min(), picture.max()
    return np.asarray((picture - low) / (high - low), np.float32)


def noisy(picture: Array, amount: float) -> Array:
    noise = np.random.default_rng(9).normal(0, amount, picture.shape)
    return np.asarray(picture + noise, np.float32)


@pytest.fixture(scope="module")
def style() -> Array:
    return clouds(1)


@pytest.fixture(scope="module")
def judge(style: Array) -> StyleJudge:
    return StyleJudge(style)


def test_a_style_itself_is_at_the_floor(judge: StyleJudge, style: Array) -> None:
    verdict = judge.verdict(style, clouds(2))
    assert verdict.distance == verdict.floor
    assert 0 < verdict.floor < verdict.start / 4
    assert verdict.removed == pytest.approx(100)


def test_of_a_content_picture_left_as_it_is_nothing_is_removed(judge: StyleJudge) -> None:
    assert judge.verdict(clouds(2), clouds(2)).removed == 0


def test_what_is_further_than_the_content_picture_is_negative(judge: StyleJudge) -> None:
    content = clouds(2)
    assert judge.verdict(noisy(content, 0.5), content).removed < 0


def test_the_distance_grows_with_noise(judge: StyleJudge, style: Array) -> None:
    distances = [judge.distance(noisy(style, amount)) for amount in (0, 0.02, 0.05, 0.1, 0.2)]
    assert distances == sorted(distances)
    assert distances[-1] > 5 * distances[0]


def test_the_distance_grows_as_details_are_lost(judge: StyleJudge, style: Array) -> None:
    fine, middle, coarse, _ = laplacian_pyramid(style)
    smooth = style - fine
    smoother = smooth - np.kron(middle, np.ones((2, 2, 1), np.float32))
    assert coarse.shape == (24, 28, 3)
    distances = [judge.distance(picture) for picture in (style, smooth, smoother)]
    assert distances == sorted(distances)
    assert distances[1] > 2 * distances[0]


def test_wrong_colours_are_far_though_the_strokes_are_the_same(
    judge: StyleJudge, style: Array
) -> None:
    assert judge.distance(style[..., [2, 0, 1]]) > 2 * judge.floor
    assert judge.distance(style + np.array([0.2, 0, -0.2], np.float32)) > 2 * judge.floor


def test_where_in_the_picture_the_strokes_are_does_not_matter(
    judge: StyleJudge, style: Array
) -> None:
    moved = judge.distance(np.roll(style, (40, 48), axis=(0, 1)))
    assert moved < judge.distance(clouds(2)) / 2


def test_pictures_of_other_sizes_can_be_judged(judge: StyleJudge, style: Array) -> None:
    left, right = judge.distance(style[:, :57]), judge.distance(style[:, 55:])
    assert max(left, right) < judge.distance(clouds(2, 57, 83)) / 2


def test_the_distance_is_about_the_same_in_both_directions_for_alike_contrasts() -> None:
    first, second = clouds(3), clouds(3)[..., ::-1].copy()
    there, back = StyleJudge(first).distance(second), StyleJudge(second).distance(first)
    assert there == pytest.approx(back, rel=0.2)


def test_the_same_picture_gets_the_same_numbers_each_time(style: Array) -> None:
    first, again = StyleJudge(style), StyleJudge(style)
    assert first.distance(clouds(2)) == again.distance(clouds(2))
    assert first.floor == again.floor


def test_another_seed_gives_nearly_the_same_distance(judge: StyleJudge, style: Array) -> None:
    other = StyleJudge(style, seed=7)
    assert other.distance(clouds(2)) != judge.distance(clouds(2))
    assert other.distance(clouds(2)) == pytest.approx(judge.distance(clouds(2)), rel=0.05)


@pytest.mark.parametrize("size", [(96, 112), (97, 113), (56, 59)])
def test_the_bands_of_a_pyramid_sum_to_the_picture(size: tuple[int, int]) -> None:
    picture = clouds(4, *size)
    bands = laplacian_pyramid(picture)
    assert [band.shape[:2] for band in bands] == [
        (size[0] // side, size[1] // side) for side in (1, 2, 4, 8)
    ]
    assert [abs(float(band.mean())) < 0.01 for band in bands] == [True, True, True, False]


def test_a_flat_picture_has_no_bands_but_the_last() -> None:
    bands = laplacian_pyramid(np.full((99, 61, 3), 0.25, np.float32))
    for band in bands[:-1]:
        np.testing.assert_allclose(band, 0, atol=1e-6)
    np.testing.assert_allclose(bands[-1], 0.25, atol=1e-6)


def test_a_picture_too_small_for_a_patch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs 56 pixels a side .* Received: 64x55"):
        StyleJudge(clouds(1, SMALLEST - 1, 64))


def test_a_content_picture_correlates_fully_with_itself() -> None:
    assert content_correlation(clouds(5), clouds(5)) == pytest.approx(1)


def test_brightness_and_contrast_leave_the_correlation() -> None:
    content = clouds(5)
    assert content_correlation(0.3 * content + 0.5, content) == pytest.approx(1, abs=1e-5)


def test_the_negative_of_a_picture_correlates_negatively() -> None:
    assert content_correlation(1 - clouds(5), clouds(5)) == pytest.approx(-1)


def test_another_picture_does_not_correlate() -> None:
    assert abs(content_correlation(clouds(6), clouds(5))) < 0.15


def test_a_flat_picture_does_not_correlate() -> None:
    assert content_correlation(np.full_like(clouds(5), 0.4), clouds(5)) == 0


def test_the_correlation_is_the_same_in_both_directions() -> None:
    first, second = clouds(5), noisy(clouds(5), 0.3)
    there, back = content_correlation(first, second), content_correlation(second, first)
    assert there == pytest.approx(back)


def test_the_correlation_falls_with_noise() -> None:
    content = clouds(5)
    falling = [content_correlation(noisy(content, amount), content) for amount in (0, 0.2, 0.5, 1)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.9


def test_a_painting_of_another_size_than_its_content_is_refused() -> None:
    with pytest.raises(ValueError, match=r"need one size.*\(96, 112, 3\) and \(96, 100, 3\)"):
        content_correlation(clouds(5), clouds(5, 96, 100))
