"""Pictures at other sizes keep their colours, their edges and their bits."""

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from model.images import resize


def test_resizing_keeps_flat_colours_and_shapes() -> None:
    flat = np.full((30, 40, 3), (0.2, 0.5, 0.9), np.float32)
    smaller = resize(flat, 17, 19)
    assert smaller.shape == (19, 17, 3)
    assert smaller.dtype == np.float32
    assert abs(smaller - flat[0, 0]).max() < 1e-6
    assert resize(flat[..., 0], 80, 60).shape == (60, 80)


def test_resizing_does_not_alias() -> None:
    stripes = np.zeros((64, 64), np.float32)
    stripes[:, ::2] = 1
    assert abs(resize(stripes, 16, 16) - 0.5).max() < 0.05


def test_resizing_does_not_overshoot() -> None:
    edge = np.zeros((32, 32, 3), np.float32)
    edge[:, 16:] = 1
    larger = resize(edge, 128, 128)
    assert larger.min() == 0
    assert larger.max() == 1


def test_resizing_keeps_more_than_8_bits() -> None:
    ramp = np.tile(np.linspace(0.5, 0.51, 64, dtype=np.float32), (32, 1))
    assert len(np.unique(resize(ramp, 128, 32)[0])) > 60


def cut_out(width: int, height: int, hidden: float) -> npt.NDArray[np.float32]:
    """Return an orange disc; what is outside it is transparent and of some other colour."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    inside = (x / width - 0.5) ** 2 + (y / height - 0.5) ** 2 < 0.12
    pixels = np.full((height, width, 4), hidden, np.float32)
    pixels[inside] = (0.9, 0.6, 0.2, 1)
    pixels[~inside, 3] = 0
    return pixels


@pytest.mark.parametrize("size", [(40, 30), (64, 48), (200, 150)])
@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_no_fringe_of_hidden_colours_appears_around_a_cut_out(
    hidden: float, size: tuple[int, int]
) -> None:
    resized = resize(cut_out(128, 96, hidden), *size)
    shows = resized[..., 3] > 1 / 255
    assert 0.2 < shows.mean() < 0.6
    assert abs(resized[shows][:, :3] - (0.9, 0.6, 0.2)).max() < 1e-3
    far_out = resized[0, 0]
    assert far_out[3] == 0
    assert abs(far_out[:3] - hidden).max() < 1e-6


def test_alpha_that_hides_nothing_changes_nothing() -> None:
    rgb = np.random.default_rng(1).random((40, 50, 3), np.float32)
    opaque = np.dstack((rgb, np.ones((40, 50), np.float32)))
    resized = resize(opaque, 31, 23)
    assert abs(resized[..., :3] - resize(rgb, 31, 23)).max() < 1e-5
    assert resized[..., 3].min() > 1 - 1e-6


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak in KiB")
@pytest.mark.parametrize("channels", [3, 4])
def test_resizing_needs_no_more_than_three_copies(channels: int) -> None:
    program = f"""
import resource
import numpy as np
from model.images import resize
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
resize(np.ones((64, 64, {channels}), np.float32), 32, 32)
picture = np.ones((1536, 2048, {channels}), np.float32)
before = peak()
resize(picture, 2048, 1537)
print((peak() - before) / picture.nbytes)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 3
