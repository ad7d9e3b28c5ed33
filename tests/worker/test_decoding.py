"""From files to what is painted."""

import io

import numpy as np
from PIL import Image

from model.door import DEFAULT_LIMITS
from tests.pictures import halves
from worker import decoding


def test_a_picture_with_alpha_has_four_channels_and_others_three(content: bytes) -> None:
    assert decoding.picture(content, DEFAULT_LIMITS).shape == (72, 96, 3)
    picture = decoding.picture(cut_out(alpha=200), DEFAULT_LIMITS)
    assert picture.shape == (32, 32, 4)
    np.testing.assert_allclose(picture[..., 3], 200 / 255, rtol=1e-6)


def test_a_large_mask_becomes_smaller_and_keeps_its_plain_colours() -> None:
    mask = decoding.mask(halves(3001, 1000, "#ff0000", "#0000ff"), DEFAULT_LIMITS)
    assert mask.shape == (682, 2048, 3)
    assert set(map(tuple, mask.reshape(-1, 3).tolist())) == {(1, 0, 0), (0, 0, 1)}
    assert abs((mask[..., 0].mean()) - 0.5) < 0.001


def test_a_small_mask_stays_as_it_is() -> None:
    mask = decoding.mask(halves(64, 48, "#ff0000", "#0000ff"), DEFAULT_LIMITS)
    assert mask.shape == (48, 64, 3)


def cut_out(alpha: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (32, 32), (10, 20, 30, alpha)).save(buffer, "PNG")
    return buffer.getvalue()
