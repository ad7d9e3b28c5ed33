"""The pictures of a painting, brought to the sizes and colours they are needed in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from model.errors import ParameterError
from model.images import resize
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Array, Sitting

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
Colour = tuple[float, float, float]


def prepared(
    content: Array,
    styles: list[Array],
    *,
    content_mask: Array | None = None,
    style_masks: Sequence[Array] = (),
    **params: Any,
) -> Sitting:
    asked = StyleTransferParams(**{"size": 64, **params})
    masks: dict[str, Any] = {"content_mask": content_mask, "style_masks": style_masks}
    return Sitting.prepare(content, styles, asked, **masks)


def bars(width: int, height: int, *colours: Colour) -> Array:
    """A mask of upright bars, equally wide."""
    number = np.arange(width) * len(colours) // width
    return np.broadcast_to(np.array(colours, np.float32)[number], (height, width, 3))


def with_alpha(picture: Array, alpha: Array | float) -> Array:
    size = picture.shape[:2]
    return np.dstack([picture, np.broadcast_to(np.float32(alpha), size)])


def half(height: int, width: int) -> Array:
    """Opaque on the left, transparent on the right."""
    return np.repeat((np.arange(width) < width // 2)[np.newaxis], height, axis=0).astype(np.float32)


def mean_colour(picture: Array) -> Array:
    return np.asarray(picture.mean(axis=(0, 1)))


def cut_out(picture: Array, hidden: Array) -> Array:
    """The left half of a picture, and colours that are hidden on the right."""
    height, width = picture.shape[:2]
    shown = half(height, width)
    beside = resize(hidden, width, height)
    return with_alpha(np.where(shown[..., np.newaxis] > 0, picture, beside), shown)


@pytest.mark.parametrize(
    ("size", "expected"), [(64, (48, 64)), (100, (75, 100)), (301, (226, 301))]
)
def test_the_content_gets_the_size_of_the_result(
    photo: Array, strokes: Array, size: int, expected: tuple[int, int]
) -> None:
    sitting = prepared(photo, [strokes], size=size)
    assert sitting.content.shape == (*expected, 3)
    assert (sitting.scales[-1].height, sitting.scales[-1].width) == expected


@pytest.mark.parametrize(
    ("scale", "expected"), [(0.5, (48, 36)), (1.0, (96, 72)), (2.0, (192, 144))]
)
def test_the_styles_are_as_large_as_their_strokes_are_to_be(
    photo: Array, stripes: Array, scale: float, expected: tuple[int, int]
) -> None:
    sitting = prepared(photo, [stripes, stripes], size=96, style_scale=scale)
    assert [style.shape for style in sitting.styles] == [(*expected, 3)] * 2


def test_at_a_coarser_scale_content_and_styles_shrink_together(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    sitting = prepared(photo, [strokes, stripes], size=128)
    half = Scale(64, 48, 1)
    assert sitting.content_at(half).shape == (48, 64, 3)
    assert [style.shape for style in sitting.styles_at(half)] == [(64, 64, 3), (64, 48, 3)]


def test_at_its_own_size_a_picture_is_left_as_it_is(photo: Array, strokes: Array) -> None:
    sitting = prepared(photo, [strokes])
    np.testing.assert_array_equal(sitting.content, photo)
    np.testing.assert_array_equal(sitting.content_at(sitting.scales[-1]), photo)
    np.testing.assert_array_equal(sitting.styles_at(sitting.scales[-1])[0], strokes)


def test_a_tiny_style_scale_leaves_something_to_see(photo: Array, stripes: Array) -> None:
    sitting = prepared(photo, [stripes], style_scale=0.1)
    assert min(sitting.styles_at(sitting.scales[0])[0].shape[:2]) >= 16


@pytest.mark.parametrize("number", [0, 9])
def test_too_few_or_too_many_styles_are_refused(photo: Array, strokes: Array, number: int) -> None:
    with pytest.raises(ParameterError, match=f"Received: {number}"):
        prepared(photo, [strokes] * number)


def test_styles_that_are_not_as_many_as_their_weights_are_refused(
    photo: Array, strokes: Array
) -> None:
    with pytest.raises(ParameterError, match="2 weights for 1 pictures"):
        prepared(photo, [strokes], style_weights=(1.0, 2.0))


# --- the first image


def test_by_default_a_painting_starts_from_the_photograph_in_the_colours_of_the_style(
    photo: Array, strokes: Array
) -> None:
    first = prepared(photo, [strokes]).first_image()
    assert first.shape == photo.shape
    np.testing.assert_allclose(mean_colour(first), mean_colour(strokes), atol=0.03)
    luminances = [picture.mean(axis=2).ravel() for picture in (photo, first)]
    assert np.corrcoef(*luminances)[0, 1] > 0.7


def test_a_painting_may_start_from_noise_in_the_colours_of_the_style(
    photo: Array, strokes: Array
) -> None:
    first = prepared(photo, [strokes], init="noise").first_image()
    assert first.shape == photo.shape
    np.testing.assert_allclose(mean_colour(first), mean_colour(strokes), atol=0.03)
    neighbours = np.corrcoef(first[:, :-1].ravel(), first[:, 1:].ravel())[0, 1]
    flat = np.corrcoef(strokes[:, :-1].ravel(), strokes[:, 1:].ravel())[0, 1]
    assert neighbours < 0.5 * flat


def test_the_seed_decides_the_noise_and_nothing_else(photo: Array, strokes: Array) -> None:
    def first(init: str, seed: int) -> bytes:
        return prepared(photo, [strokes], init=init, seed=seed).first_image().tobytes()

    assert first("noise", 1) == first("noise", 1) != first("noise", 2)
    assert first("content", 1) == first("content", 2)
    assert first("style", 1) == first("style", 2)


def test_a_painting_may_start_from_the_style_that_weighs_most(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    sitting = prepared(photo, [strokes, stripes], init="style", style_weights=(1.0, 2.0))
    np.testing.assert_array_equal(
        sitting.first_image(), resize(sitting.styles[1], width=64, height=48)
    )


def test_the_colours_of_several_styles_are_mixed_by_their_shares(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    mixed = prepared(photo, [strokes, stripes], style_weights=(3.0, 1.0)).first_image()
    one, other = (prepared(photo, [style]).first_image() for style in (strokes, stripes))
    np.testing.assert_allclose(mixed, 0.75 * one + 0.25 * other, atol=1e-6)


@pytest.mark.parametrize("init", ["content", "noise", "style"])
def test_the_first_image_has_the_size_of_the_first_scale_and_can_be_shown(
    photo: Array, strokes: Array, init: str
) -> None:
    sitting = prepared(photo, [strokes], size=300, init=init)
    assert len(sitting.scales) > 1
    first = sitting.first_image()
    assert first.shape == (sitting.scales[0].height, sitting.scales[0].width, 3)
    assert first.dtype == np.float32
    assert 0.0 <= first.min() <= first.max() <= 1.0


# --- colours


def test_recoloured_styles_have_the_colours_of_the_photograph(photo: Array, strokes: Array) -> None:
    recoloured = prepared(photo, [strokes], preserve_color="histogram").styles[0]
    np.testing.assert_allclose(mean_colour(recoloured), mean_colour(photo), atol=0.03)
    assert np.abs(mean_colour(strokes) - mean_colour(photo)).max() > 0.1


def test_a_finished_picture_is_what_was_painted_unless_its_colours_are_to_be_kept(
    photo: Array, strokes: Array
) -> None:
    painted = strokes[:48]
    for kept in ("none", "histogram"):
        finished = prepared(photo, [strokes], preserve_color=kept).finished(painted)
        np.testing.assert_array_equal(finished, painted)
    finished = prepared(photo, [strokes], preserve_color="luminance").finished(painted)
    assert np.abs(finished - painted).mean() > 0.05


def test_a_preview_at_a_coarse_scale_has_the_colours_of_the_photograph_too(
    photo: Array, strokes: Array
) -> None:
    sitting = prepared(photo, [strokes], preserve_color="luminance")
    grey = np.full((24, 32, 3), 0.5, np.float32)
    assert sitting.finished(grey).shape == (24, 32, 3)


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
    sizes = [weights.shape for weights in sitting.style_regions_at(scale) if weights is not None]
    assert sizes == [(2, 32, 32), (2, 32, 24)]


def test_without_masks_and_alpha_there_are_no_regions(photo: Array, strokes: Array) -> None:
    opaque = with_alpha(photo, 1.0)
    for sitting in (prepared(photo, [strokes]), prepared(opaque, [with_alpha(strokes, 1.0)])):
        assert sitting.alpha is None
        assert sitting.region_count == 0
        assert sitting.content_regions_at(sitting.scales[0]) is None
        assert sitting.style_regions_at(sitting.scales[0]) == [None]
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


# --- the fingerprint


def test_a_fingerprint_depends_on_every_picture_and_parameter(
    photo: Array, strokes: Array, stripes: Array
) -> None:
    brighter = photo.copy()
    brighter[0, 0, 0] = np.nextafter(brighter[0, 0, 0], np.float32(2))
    sittings = [
        prepared(photo, [strokes, stripes]),
        prepared(brighter, [strokes, stripes]),
        prepared(photo, [stripes, strokes]),
        prepared(photo, [strokes]),
        prepared(photo, [strokes, stripes, stripes]),
        prepared(photo, [strokes, stripes], seed=1),
        prepared(photo, [strokes, stripes], steps=9),
        prepared(photo, [strokes, stripes], optimizer="lbfgs"),
        prepared(photo, [strokes, stripes], style_weights=(1.0, 1.1)),
        prepared(photo, [strokes, stripes], style_loss="wasserstein"),
        prepared(with_alpha(photo, half(48, 64)), [strokes, stripes]),
        prepared(with_alpha(photo, 0.5), [strokes, stripes]),
        prepared(photo, [with_alpha(strokes, half(64, 64)), stripes]),
        *(
            prepared(photo, [strokes, stripes], content_mask=content, style_masks=styles)
            for content, styles in (
                (bars(64, 48, RED, GREEN), [bars(64, 64, RED, GREEN), bars(48, 64, RED)]),
                (bars(64, 48, GREEN, RED), [bars(64, 64, RED, GREEN), bars(48, 64, RED)]),
                (bars(64, 48, RED, GREEN), [bars(64, 64, RED), bars(48, 64, RED, GREEN)]),
            )
        ),
    ]
    assert len({sitting.fingerprint for sitting in sittings}) == len(sittings)


def test_the_fingerprint_of_the_same_is_the_same_however_it_lies_in_memory(
    photo: Array, strokes: Array
) -> None:
    turned = np.asfortranarray(photo)
    params = StyleTransferParams(size=64)
    one, other = Sitting(photo, (strokes,), params), Sitting(turned, (strokes.copy(),), params)
    assert one.fingerprint == other.fingerprint


def test_a_fingerprint_knows_the_shape_of_a_picture(strokes: Array) -> None:
    params = StyleTransferParams(size=64)
    wide, tall = (strokes[:32].reshape(shape) for shape in ((32, 64, 3), (64, 32, 3)))
    one, other = Sitting(wide, (strokes,), params), Sitting(tall, (strokes,), params)
    assert one.fingerprint != other.fingerprint
