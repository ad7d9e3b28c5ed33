"""Masks, the regions that they show, and how these guide the layers."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from model.errors import ParameterError
from model.regions import MAX_LABELS, Regions, guides, sampled

Array = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

BLACK, WHITE, RED, GREEN, BLUE = (
    (0, 0, 0),
    (255, 255, 255),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
)
NINE = [BLACK, WHITE, RED, GREEN, BLUE, (255, 255, 0), (0, 255, 255), (255, 0, 255), (127,) * 3]


def drawn(width: int, height: int, *colours: Colour) -> Image.Image:
    """A disc on a ground, and a bar at the top for a third colour."""
    image = Image.new("RGB", (width, height), colours[0])
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=colours[1])
    for bar in colours[2:]:
        draw.rectangle((0, 0, width, height // 6), fill=bar)
    return image


def array(image: Image.Image) -> Array:
    return np.asarray(np.asarray(image) / 255, np.float32)


def bars(width: int, height: int, colours: list[Colour]) -> Array:
    """As many upright bars as colours, equally wide."""
    number = np.arange(width) * len(colours) // width
    row = np.asarray(np.array(colours)[number] / 255, np.float32)
    return np.broadcast_to(row, (height, width, 3))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def names(mask: Array) -> set[str]:
    return set(Regions.of_masks(mask, [mask]).names)


# --- labels


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ((BLACK, WHITE), {"#000000", "#ffffff"}),
        ((RED, GREEN), {"#ff0000", "#00ff00"}),
        ((BLACK, WHITE, RED), {"#000000", "#ffffff", "#ff0000"}),
        ((RED, GREEN, BLUE), {"#ff0000", "#00ff00", "#0000ff"}),
    ],
)
@pytest.mark.parametrize("size", [(64, 48), (240, 320)])
def test_the_labels_of_a_mask_are_its_colours_also_as_jpeg_and_with_smooth_edges(
    size: tuple[int, int], colours: tuple[Colour, ...], expected: set[str]
) -> None:
    width, height = size
    clean = drawn(width, height, *colours)
    smooth = drawn(4 * width, 4 * height, *colours).resize(size, Image.Resampling.BICUBIC)
    assert names(array(clean)) == expected
    assert names(array(smooth)) == expected
    for quality in (95, 75):
        found = names(array(jpeg(clean.resize((480, 360)), quality)))
        assert len(found) == len(expected)


def test_a_pixel_belongs_to_the_label_that_is_nearest_to_its_colour() -> None:
    clean = drawn(320, 240, RED, BLUE)
    spoiled = array(jpeg(clean, 60))
    found, exact = (Regions.of_masks(mask, [mask]) for mask in (spoiled, array(clean)))
    assert np.abs(found.content - exact.content).mean() < 0.01


@pytest.mark.parametrize("colours", [NINE[:MAX_LABELS], NINE[:1]])
def test_as_many_labels_as_there_may_be_are_taken(colours: list[Colour]) -> None:
    assert len(names(bars(90, 40, colours))) == len(colours)


def test_nine_labels_are_refused_with_their_number() -> None:
    nine, one = bars(90, 40, NINE), bars(90, 40, NINE[:1])
    with pytest.raises(ParameterError, match=r"at most 8 colours\. Received: 9\.$") as refusal:
        Regions.of_masks(nine, [nine])
    assert refusal.value.field == "content_mask"
    with pytest.raises(ParameterError, match=r"Received: 9\.$") as refusal:
        Regions.of_masks(one, [nine])
    assert refusal.value.field == "style_mask"


def test_a_blot_is_no_label() -> None:
    mask = array(drawn(200, 150, BLACK, WHITE)).copy()
    mask[3:7, 3:7] = (1.0, 0.0, 0.0)
    assert names(mask) == {"#000000", "#ffffff"}


def test_the_same_label_in_a_slightly_different_colour_is_found() -> None:
    other = bars(60, 40, [(240, 20, 10), (10, 15, 235)])
    found = Regions.of_masks(bars(60, 40, [RED, BLUE]), [other])
    np.testing.assert_array_equal(found.content, found.styles[0])


def test_two_shades_of_a_label_are_one_region() -> None:
    wanted = bars(60, 40, [(128, 128, 128), RED])
    mask = bars(100, 40, [(96, 96, 96)] * 7 + [(160, 160, 160)] + [RED] * 2)
    found = Regions.of_masks(wanted, [mask])
    shares = dict(zip(found.names, found.styles[0].mean(axis=(1, 2)), strict=True))
    assert shares.pop("#ff0000") == pytest.approx(0.2, abs=0.01)
    assert [*shares.values()] == pytest.approx([0.8], abs=0.01)


def test_labels_of_a_style_that_the_content_does_not_have_are_left_out() -> None:
    found = Regions.of_masks(bars(60, 40, [RED]), [bars(60, 40, [RED, GREEN, BLUE])])
    assert found.names == ("#ff0000",)
    assert found.styles[0].shape == (1, 40, 60)
    assert found.styles[0].mean() == pytest.approx(1 / 3, abs=0.01)


def test_a_label_that_a_style_does_not_have_is_nowhere_in_it() -> None:
    found = Regions.of_masks(bars(60, 40, [RED, BLUE]), [bars(50, 30, [BLUE])])
    by_name = dict(zip(found.names, found.styles[0], strict=True))
    assert not by_name["#ff0000"].any()
    np.testing.assert_allclose(by_name["#0000ff"], 1.0, rtol=1e-6)


# --- weights


def test_the_soft_edges_between_regions_sum_to_one() -> None:
    mask = array(drawn(640, 480, RED, GREEN, BLUE))
    found = Regions.of_masks(mask, [mask])
    for weights in (found.content, found.styles[0]):
        assert weights.shape == (3, 480, 640)
        np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-5)
        assert weights.min() >= 0.0
        soft = (weights > 0.01) & (weights < 0.99)
        assert 0.005 < soft.mean() < 0.1
    np.testing.assert_allclose(found.content, found.styles[0])


def test_what_is_transparent_belongs_to_no_region_and_a_region_unseen_is_none() -> None:
    mask = bars(60, 40, [RED, BLUE])
    alpha, other = np.ones((40, 60), np.float32), np.ones((40, 60), np.float32)
    alpha[:, 28:] = 0.0  # the edge is soft: what is blue begins a little before 30
    alpha[:10, :28] = 0.5
    other[5:] = 0.0
    found = Regions.of_masks(mask, [mask]).seen_through([alpha, other])
    assert found.names == ("#ff0000",)
    np.testing.assert_allclose(found.content[0], alpha, atol=1e-3)
    np.testing.assert_allclose(found.styles[0][0, :5, :28], 1.0, atol=1e-3)
    assert not found.styles[0][0, 5:].any()


def test_a_region_of_which_only_the_soft_edge_is_seen_is_none() -> None:
    mask = bars(60, 40, [RED, BLUE])
    cut_out = (mask[..., 0] > 0.5).astype(np.float32)
    assert Regions.of_masks(mask, [mask]).seen_through([cut_out, None]).names == ("#ff0000",)


def test_one_region_is_everywhere() -> None:
    found = Regions.everywhere([(40, 60), (20, 30)])
    np.testing.assert_array_equal(found.content, np.ones((1, 40, 60)))
    np.testing.assert_array_equal(found.styles[0], np.ones((1, 20, 30)))


def test_a_mask_at_another_size_has_no_other_colours() -> None:
    mask = array(drawn(333, 217, RED, GREEN, BLUE))
    for height, width in ((48, 64), (217, 333), (500, 700)):
        found = sampled(mask, height, width)
        assert found.shape == (height, width, 3)
        assert set(map(tuple, found.reshape(-1, 3))) == set(map(tuple, mask.reshape(-1, 3)))
        shares = [(m == mask[0, 0]).all(axis=-1).mean() for m in (mask, found)]
        assert shares[1] == pytest.approx(shares[0], abs=0.02)


# --- guides


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_the_guides_of_each_region_sum_to_one_and_the_shares_are_those_of_the_areas(
    stride: int,
) -> None:
    mask = bars(128, 96, [RED, RED, RED, BLUE])
    found = Regions.of_masks(mask, [mask])
    guide, shares = guides(found.content, stride, 2)
    assert guide.dtype == shares.dtype == np.float32
    assert guide.shape == (2, 96 // stride, 128 // stride)
    np.testing.assert_allclose(guide.sum(axis=(1, 2)), 1.0, rtol=1e-5)
    np.testing.assert_allclose(shares, [0.75, 0.25], atol=0.01)


@pytest.mark.parametrize(("height", "width"), [(96, 128), (97, 113), (33, 65)])
def test_there_is_a_guide_for_each_position_of_a_layer(height: int, width: int) -> None:
    weights = np.ones((1, height, width), np.float32)
    for stride in (1, 4, 16):
        guide, shares = guides(weights, stride, 1)
        expected = (1, -(-height // 16) * 16 // stride, -(-width // 16) * 16 // stride)
        assert guide.shape == expected
        np.testing.assert_allclose(guide, 1 / guide.size, rtol=1e-5)
        assert shares == pytest.approx(1.0)


@pytest.mark.parametrize("reach", [1, 2, 3])
def test_a_region_is_eroded_by_as_much_as_a_position_reaches(reach: int) -> None:
    weights = np.zeros((2, 64, 128), np.float32)
    weights[0, :, :64], weights[1, :, 64:] = 1.0, 1.0
    (left, right), _ = guides(weights, 4, reach)
    counts = [np.flatnonzero(guide.any(axis=0)).tolist() for guide in (left, right)]
    assert counts == [list(range(16 - reach)), list(range(16 + reach, 32))]
    assert np.ptp(left[left > 0]) < 1e-6 * left.max()


def test_a_region_too_thin_to_be_eroded_survives_as_it_is() -> None:
    weights = np.zeros((2, 64, 128), np.float32)
    weights[0], weights[1, :, 60:68] = 1.0, 1.0
    weights[0, :, 60:68] = 0.0
    (_, thin), shares = guides(weights, 4, 3)
    assert np.flatnonzero(thin.any(axis=0)).tolist() == [15, 16]
    assert thin.sum() == pytest.approx(1.0)
    assert shares[1] == pytest.approx(8 / 128)


def test_a_region_that_is_not_there_has_no_guide_and_no_share() -> None:
    weights = np.zeros((2, 32, 32), np.float32)
    weights[0] = 1.0
    (here, nowhere), shares = guides(weights, 16, 1)
    assert here.sum() == pytest.approx(1.0)
    assert not nowhere.any()
    assert shares.tolist() == [1.0, 0.0]
