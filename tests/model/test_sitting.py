"""The pictures of a painting, brought to the sizes and colours they are needed in."""

import numpy as np
import pytest

from model.errors import ParameterError
from model.images import resize
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Array, Sitting
from tests.model.sittings import GREEN, RED, bars, half, mean_colour, prepared, with_alpha


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
    assert [sitting.style_at(index, half).shape for index in (0, 1)] == [(64, 64, 3), (64, 48, 3)]


def test_at_its_own_size_a_picture_is_left_as_it_is(photo: Array, strokes: Array) -> None:
    sitting = prepared(photo, [strokes])
    np.testing.assert_array_equal(sitting.content, photo)
    np.testing.assert_array_equal(sitting.content_at(sitting.scales[-1]), photo)
    np.testing.assert_array_equal(sitting.style_at(0, sitting.scales[-1]), strokes)


def test_a_tiny_style_scale_leaves_something_to_see(photo: Array, stripes: Array) -> None:
    sitting = prepared(photo, [stripes], style_scale=0.1)
    assert min(sitting.style_at(0, sitting.scales[0]).shape[:2]) >= 16


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
