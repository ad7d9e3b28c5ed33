"""Masks and transparency: which parts of the pictures take part in a painting, and where."""

from typing import Any

import numpy as np
import pytest

from model.errors import ParameterError
from model.images import resize
from model.recipes import Scale
from model.sitting import Array, Sitting
from tests.model.sittings import (
    BLUE,
    GREEN,
    RED,
    bars,
    cut_out,
    half,
    mean_colour,
    prepared,
    with_alpha,
)

# --- regions


def test_masks_of_any_size_become_regions_of_the_size_of_their_pictures(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    sitting = prepared(
        photo,
        [strokes, stripes],
        content_mask=bars(400, 300, RED, GREEN),
        style_masks=[bars(32, 32, RED), bars(96, 128, GREEN, RED)],
    )
    assert sitting.regions is not None
    assert sitting.region_count == 2
    assert sitting.regions.content.shape == (2, 48, 64)
    assert [weights.shape for weights in sitting.regions.styles] == [(2, 64, 64), (2, 64, 48)]
    scale = Scale(32, 24, 1)
    found = sitting.content_regions_at(scale)
    assert found is not None
    assert found.shape == (2, 24, 32)
    first, second = (sitting.style_regions_at(index, scale) for index in (0, 1))
    assert first is not None
    assert second is not None
    assert (first.shape, second.shape) == ((2, 32, 32), (2, 32, 24))


def test_regions_of_large_pictures_are_no_larger_than_need_be_and_the_same(
    photo: Array, strokes: Array
) -> None:
    masks: dict[str, Any] = {"content_mask": bars(400, 300, RED, GREEN)}
    masks["style_masks"] = [bars(64, 64, GREEN, RED)]
    large = prepared(photo, [strokes], size=2048, **masks)
    assert large.regions is not None
    assert large.regions.content.shape == (2, 768, 1024)
    assert large.regions.styles[0].shape == (2, 1024, 1024)
    scale = Scale(256, 192, 1)
    small = prepared(photo, [strokes], size=256, **masks)
    found, expected = (sitting.content_regions_at(scale) for sitting in (large, small))
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_without_masks_and_alpha_there_are_no_regions(photo: Array, strokes: Array) -> None:
    opaque = with_alpha(photo, 1.0)
    for sitting in (prepared(photo, [strokes]), prepared(opaque, [with_alpha(strokes, 1.0)])):
        assert sitting.alpha is None
        assert sitting.region_count == 0
        assert sitting.content_regions_at(sitting.scales[0]) is None
        assert sitting.style_regions_at(0, sitting.scales[0]) is None
        assert sitting.style_shares.tolist() == [[1.0]]


def test_a_style_has_no_share_in_a_region_that_it_does_not_have(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    sitting = prepared(
        photo,
        [strokes, stripes],
        style_weights=(3.0, 1.0),
        content_mask=bars(64, 48, RED, RED, GREEN),
        style_masks=[bars(64, 64, RED, GREEN), bars(48, 64, RED)],
    )
    assert sitting.regions is not None
    shares = dict(zip(sitting.regions.names, sitting.style_shares.T.tolist(), strict=True))
    assert shares == {"#ff0000": [0.75, 0.25], "#00ff00": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("content_masks", "style_masks", "field"),
    [(1, 0, "style_mask"), (1, 1, "style_mask"), (1, 3, "style_mask"), (0, 2, "content_mask")],
)
def test_masks_come_together_or_are_refused(
    photo: Array, strokes: Array, content_masks: int, style_masks: int, field: str
) -> None:
    asked: dict[str, Any] = {"content_mask": bars(64, 48, RED)} if content_masks else {}
    received = f"Received: {content_masks} content_mask and {style_masks} style_mask"
    with pytest.raises(ParameterError, match=f"{received} for 2") as refusal:
        prepared(photo, [strokes] * 2, style_masks=[bars(64, 64, RED)] * style_masks, **asked)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("content", "style", "field"),
    [((48, 48), (64, 64), "content_mask"), ((64, 48), (64, 60), "style_mask")],
)
def test_a_mask_of_other_proportions_than_its_picture_is_refused(
    photo: Array, strokes: Array, content: tuple[int, int], style: tuple[int, int], field: str
) -> None:
    masks = bars(*content, RED), [bars(*style, RED)]
    with pytest.raises(ParameterError, match=f"^{field} must have the proportions") as refusal:
        prepared(photo, [strokes], content_mask=masks[0], style_masks=masks[1])
    assert refusal.value.field == field


def test_the_mask_of_a_thin_picture_fits_although_its_result_is_less_thin(strokes: Array) -> None:
    thin = np.tile(strokes[:, :, :], (1, 10, 1))[:16]
    sitting = prepared(
        thin, [strokes], content_mask=bars(640, 16, RED), style_masks=[bars(64, 64, RED)]
    )
    assert sitting.content.shape == (16, 64, 3)


def test_a_label_that_no_style_mask_has_is_refused_by_its_colour(
    photo: Array, strokes: Array
) -> None:
    with pytest.raises(ParameterError, match=r"Received: none for #00ff00\.$") as refusal:
        prepared(
            photo,
            [strokes],
            content_mask=bars(64, 48, RED, GREEN),
            style_masks=[bars(64, 64, RED, BLUE)],
        )
    assert refusal.value.field == "style_mask"


def test_a_label_that_only_a_style_of_no_weight_has_or_hides_is_refused(
    photo: Array, strokes: Array
) -> None:
    masks: dict[str, Any] = {
        "content_mask": bars(64, 48, RED, GREEN),
        "style_masks": [bars(64, 64, RED), bars(64, 64, RED, GREEN)],
    }
    assert prepared(photo, [strokes] * 2, **masks).region_count == 2
    with pytest.raises(ParameterError, match="none for #00ff00"):
        prepared(photo, [strokes] * 2, style_weights=(1.0, 0.0), **masks)
    hidden = with_alpha(strokes, half(64, 64))
    with pytest.raises(ParameterError, match="none for #00ff00"):
        prepared(photo, [strokes, hidden], **masks)


@pytest.mark.parametrize("init", ["content", "noise"])
def test_each_region_starts_in_the_colours_of_its_own_style(
    photo: Array, strokes: Array, stripes: Array, init: str
) -> None:
    first = prepared(
        photo,
        [strokes, stripes],
        init=init,
        content_mask=bars(64, 48, RED, GREEN),
        style_masks=[bars(64, 64, RED), bars(48, 64, GREEN)],
    ).first_image()
    for part, style in ((first[:, :30], strokes), (first[:, 34:], stripes)):
        np.testing.assert_allclose(mean_colour(part), mean_colour(style), atol=0.06)
    assert np.abs(mean_colour(strokes) - mean_colour(stripes)).max() > 0.3


# --- alpha


def test_the_alpha_of_the_content_comes_back_in_the_result(photo: Array, strokes: Array) -> None:
    large = resize(photo, 128, 96)
    alpha = resize(half(96, 128), 128, 96)
    sitting = prepared(with_alpha(large, alpha), [strokes])
    painted = strokes[:48]
    finished = sitting.finished(painted)
    assert finished.shape == (48, 64, 4)
    np.testing.assert_array_equal(finished[..., :3], painted)
    np.testing.assert_allclose(finished[..., 3], resize(alpha, 64, 48), atol=1e-6)
    preview = sitting.finished(painted[::2, ::2])
    assert preview.shape == (24, 32, 4)
    assert prepared(photo, [with_alpha(strokes, half(64, 64))]).finished(painted).shape[2] == 3


@pytest.mark.parametrize("kept", ["none", "luminance", "histogram"])
@pytest.mark.parametrize("init", ["content", "noise", "style"])
def test_what_is_hidden_in_a_picture_has_no_part_in_its_painting(
    photo: Array, strokes: Array, stripes: Array, init: str, kept: str
) -> None:
    def sitting(hidden: Array) -> Sitting:
        content, style = (cut_out(picture, hidden) for picture in (photo, strokes))
        return prepared(content, [style, stripes], size=100, init=init, preserve_color=kept)

    one, other = (sitting(hidden) for hidden in (np.zeros_like(photo), stripes))
    assert one.fingerprint == other.fingerprint
    assert one.first_image().tobytes() == other.first_image().tobytes()
    painted = np.full(one.content.shape, 0.5, np.float32)
    assert one.finished(painted).tobytes() == other.finished(painted).tobytes()


def test_where_nothing_can_be_seen_the_nearest_colours_are_seen_on(
    photo: Array, strokes: Array
) -> None:
    (style,) = prepared(photo, [cut_out(strokes, np.zeros_like(strokes))]).styles
    np.testing.assert_allclose(style[:, :32], strokes[:, :32], atol=1e-6)
    np.testing.assert_array_equal(style[:, 32:], np.repeat(style[:, 31:32], 32, axis=1))


def test_pictures_of_which_nothing_can_be_seen_are_refused(photo: Array, strokes: Array) -> None:
    with pytest.raises(ParameterError, match="Nothing of the content"):
        prepared(with_alpha(photo, 0.0), [strokes])
    with pytest.raises(ParameterError, match="Received: none for all"):
        prepared(photo, [with_alpha(strokes, 0.0)])


def test_a_region_of_the_content_that_is_hidden_needs_no_style(
    photo: Array, strokes: Array
) -> None:
    sitting = prepared(
        with_alpha(photo, half(48, 64)),
        [strokes],
        content_mask=bars(64, 48, RED, GREEN),
        style_masks=[bars(64, 64, RED)],
    )
    assert sitting.region_count == 1
    assert np.isfinite(sitting.first_image()).all()


def test_a_picture_of_which_a_pixel_can_be_seen_can_be_painted(
    photo: Array, strokes: Array
) -> None:
    dot = np.zeros((64, 64), np.float32)
    dot[20, 20] = 1.0
    for sitting in (
        prepared(photo, [with_alpha(strokes, dot)]),
        prepared(with_alpha(photo, dot[:48]), [strokes], size=300),
    ):
        assert np.isfinite(sitting.first_image()).all()
