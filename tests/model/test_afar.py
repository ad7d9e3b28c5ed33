"""What a picture looks like from afar, against plain NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import afar

Array = npt.NDArray[np.float32]

#: Height, width and stride: with and without a remainder, and smaller than a stride.
VIEWS = [(64, 48, 8), (37, 101, 4), (5, 3, 8), (61, 8, 8)]


def noise(height: int, width: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def seen(picture: Array, stride: int, multiple: int = 1) -> Array:
    height, width = picture.shape[:2]
    view = afar.view(height, width, stride, multiple=multiple)
    return np.asarray(view.of(tf.constant(picture[np.newaxis]))[0])


@pytest.mark.parametrize(("height", "width", "stride"), VIEWS)
def test_a_flat_picture_is_flat_from_afar(height: int, width: int, stride: int) -> None:
    flat = np.broadcast_to(np.array([0.2, 0.5, 0.9], np.float32), (height, width, 3))
    view = seen(flat, stride)
    assert view.shape == (*afar.size(height, width, stride), 3)
    np.testing.assert_allclose(view, np.broadcast_to(flat[0, 0], view.shape), rtol=1e-5)


def test_a_pixel_of_the_view_is_a_mean_that_fades_with_the_distance() -> None:
    picture = noise(32, 24)
    fading = np.array([0.5, 1.5, 2.5, 3.5, 3.5, 2.5, 1.5, 0.5]) / 16  # 8 wide for a stride of 4
    around = picture[10:18, 6:14]  # of the pixel in row 3 and column 2: its middle is at 14, 10
    expected = np.einsum("y,x,yxc->c", fading, fading, around)
    np.testing.assert_allclose(seen(picture, 4)[3, 2], expected, rtol=1e-5)


@pytest.mark.parametrize(("height", "width", "stride"), VIEWS)
def test_every_pixel_counts(height: int, width: int, stride: int) -> None:
    view = afar.view(height, width, stride)
    for matrix, spacing in ((view.rows, height), (view.columns, width)):
        total = np.asarray(matrix[0]).sum(axis=0)
        assert total.min() > 0.3 / max(stride, spacing / matrix.shape[1])


@pytest.mark.parametrize(("height", "width", "stride"), VIEWS)
def test_a_view_goes_on_as_its_mirror_image(height: int, width: int, stride: int) -> None:
    picture = noise(height, width)
    view = seen(picture, stride)
    margins = [(0, -length % 16) for length in view.shape[:2]]
    expected = np.pad(view, [*margins, (0, 0)], "symmetric")
    np.testing.assert_allclose(seen(picture, stride, 16), expected, rtol=1e-5)


def test_two_pictures_are_seen_in_one_go_each_in_its_own_view() -> None:
    one, other = noise(37, 101, 1), noise(37, 101, 2)
    view = afar.view(37, 101, 4)
    rows, columns = view.rows[:, ::-1], view.columns[:, ::-1]  # upside down, and mirrored
    both = afar.View(tf.concat([view.rows, rows], 0), tf.concat([view.columns, columns], 0))
    found = both.of(tf.constant([one, other]))
    np.testing.assert_allclose(found[0], seen(one, 4), rtol=1e-5)
    np.testing.assert_allclose(found[1], seen(other, 4)[::-1, ::-1], rtol=1e-5)
