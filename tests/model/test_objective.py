"""The loss of a picture: the weighted sum of its parts, and its gradient."""

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import afar, losses, recipes, tiles, vgg
from model.losses import STYLE_LOSSES
from model.moments import moments
from model.objective import Objective, loss_weights, remembered_styles
from model.painting import Studio
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Sitting
from model.targets import Targets
from model.vgg import Features, Network
from tests.model.sittings import prepared

Array = npt.NDArray[np.float32]

WEIGHT_FIELDS = ("content_weight", "style_weight", "tv_weight")
RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def noise(height: int, width: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def halves(height: int, width: int) -> Array:
    """A mask, red on the left and green on the right."""
    mask = np.empty((height, width, 3), np.float32)
    mask[:, : width // 2], mask[:, width // 2 :] = RED, GREEN
    return mask


def quarter(height: int, width: int) -> Array:
    """A mask, red at the upper left and green elsewhere."""
    mask = np.empty((height, width, 3), np.float32)
    mask[:] = GREEN
    mask[: height // 2, : width // 2] = RED
    return mask


def same(matrices: list[Array], region: int) -> bool:
    return bool(np.array_equal(matrices[0][0, region], matrices[1][0, region]))


def resized(picture: Array) -> Array:
    return np.asarray(np.tile(picture, (1, 2, 1))[:64, :64])


def targets_of(studio: Studio, sitting: Sitting, scale: Scale) -> Targets:
    return studio._objective(sitting.params, sitting.region_count).targets(sitting, scale)


def judged(studio: Studio, sitting: Sitting, image: Array) -> tuple[dict[str, float], Array]:
    """The parts of the loss by name, and the gradient per pixel density."""
    objective = studio._objective(sitting.params, sitting.region_count)
    height, width = image.shape[:2]
    targets = objective.targets(sitting, Scale(width, height, 1))
    parts, gradient = objective.loss_and_gradient(
        tf.constant(image[np.newaxis]), targets, loss_weights(sitting.params)
    )
    by_name = dict(zip(objective.parts, np.asarray(parts[0]).tolist(), strict=True))
    return by_name, np.asarray(gradient[0])


def activations(studio: Studio, picture: Array) -> dict[str, tf.Tensor]:
    """All that the network sees in a picture."""
    image = tf.constant(picture[np.newaxis])
    return Network(studio.features).activations(image, vgg.CONVOLUTIONS)


def from_afar(picture: Array, stride: int, multiple: int = 1) -> tf.Tensor:
    """A picture as it is seen from afar; [1, height, width, 3]."""
    height, width = picture.shape[:2]
    view = afar.view(height, width, stride, multiple=multiple)
    return view.of(tf.constant(picture[np.newaxis]))


def apart_in_style(loss: str, seen: tf.Tensor, *styles: tf.Tensor) -> float:
    """How far a layer is from two styles, of which the first has a share of three quarters."""
    found, *wanted = (
        moments(x, tf.fill([1, 1, 1, 1], 1 / (x.shape[1] * x.shape[2]))) for x in (seen, *styles)
    )
    shares = (tf.constant([share]) for share in (0.75, 0.25))
    first, second = (x.scaled(share) for x, share in zip(wanted, shares, strict=True))
    judge = STYLE_LOSSES[loss]
    return float(judge.distance(found, judge.target(first.plus(second)))[0, 0])


def variation(picture: Array) -> float:
    return float(losses.total_variation(tf.constant(picture[np.newaxis]))[0])


def kinds(parts: dict[str, float]) -> list[float]:
    """The losses of content, style and total variation."""
    return [
        sum(loss for name, loss in parts.items() if name.startswith(kind))
        for kind in ("content/", "style/", "tv")
    ]


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_the_loss_is_the_weighted_sum_of_its_parts_over_the_layers(
    studio: Studio, photo: Array, strokes: Array, stripes: Array, style_loss: str
) -> None:
    own = (2.0, 0.5, 3.0)
    params = StyleTransferParams(
        size=64,
        style_loss=style_loss,
        style_weights=(3.0, 1.0),
        **dict(zip(WEIGHT_FIELDS, own, strict=True)),
    )
    sitting = Sitting.prepare(photo, [strokes, stripes], params)
    image = noise(48, 64)
    found, _ = judged(studio, sitting, image)

    layers = recipes.layers(params)
    content = sitting.content_target_at(Scale(64, 48, 1))
    seen, wanted, *styles = (activations(studio, x) for x in (image, content, *sitting.styles))
    usual = np.asarray(loss_weights(StyleTransferParams(style_loss=style_loss))[0])
    balance = usual * own
    expected = {"tv": balance[2] * variation(image)}
    for name, weight in layers.content.items():
        apart = losses.content_loss(seen[name], wanted[name], losses.content_scale(wanted[name]))
        expected[f"content/{name}"] = balance[0] * weight * float(apart[0])
    for name, weight in layers.style.items():
        apart = apart_in_style(style_loss, *(x[name] for x in (seen, *styles)))
        expected[f"style/{name}"] = balance[1] * weight * apart
    here, there, *others = (
        losses.luminance(from_afar(x, recipes.EDGES_STRIDE))
        for x in (image, content, *sitting.styles)
    )
    first, second = (losses.edges_strength(x) for x in others)
    there *= losses.edges_gain(there, 0.75 * first + 0.25 * second)
    edges = losses.edges_loss(here, there, losses.edges_scale(there))
    expected["content/edges_afar"] = balance[0] * layers.edges_afar * float(edges[0])
    seen, *styles = (
        activations(studio, np.asarray(from_afar(x, recipes.STYLE_STRIDE, 16)[0]))
        for x in (image, *sitting.styles)
    )
    for name, weight in layers.style_afar.items():
        apart = apart_in_style(style_loss, *(x[name] for x in (seen, *styles)))
        expected[f"style/{name}_afar"] = balance[1] * weight * apart
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_lectures_preset_does_not_look_from_afar(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    params = StyleTransferParams(size=64, preset="gatys")
    found, _ = judged(studio, Sitting.prepare(photo, [strokes], params), strokes[:48])
    assert not [name for name in found if name.endswith("_afar")]


@pytest.mark.parametrize("alone", WEIGHT_FIELDS)
def test_the_gradient_is_that_of_the_loss(
    studio: Studio, photo: Array, strokes: Array, alone: str
) -> None:
    weights = {field: float(field == alone) for field in WEIGHT_FIELDS}
    params = StyleTransferParams(size=64, **weights)
    sitting = Sitting.prepare(photo, [strokes], params)
    image = noise(24, 32)
    _, gradient = judged(studio, sitting, image)
    rng = np.random.default_rng(3)
    for _ in range(3):
        # Along a direction in which the loss changes, or the float32 would round it away.
        way = gradient / np.abs(gradient).max() + 0.5 * rng.standard_normal(gradient.shape)
        ahead, behind = (
            sum(judged(studio, sitting, (image + sign * 1e-3 * way).astype(np.float32))[0].values())
            for sign in (1, -1)
        )
        assert np.mean(gradient * way) == pytest.approx((ahead - behind) / 2e-3, rel=0.02)


@pytest.mark.parametrize("field", WEIGHT_FIELDS)
def test_a_weight_of_zero_takes_its_loss_out(
    studio: Studio, photo: Array, strokes: Array, field: str
) -> None:
    params = StyleTransferParams(size=64, **{field: 0.0})
    found, _ = judged(studio, Sitting.prepare(photo, [strokes], params), strokes[:48])
    parts = dict(zip(WEIGHT_FIELDS, kinds(found), strict=True))
    assert parts.pop(field) == 0.0
    assert all(part > 0.0 for part in parts.values())


def test_a_weight_means_the_same_at_every_size(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    # Sums in place of means would be 4 times as large for the content, and 16 times for the style.
    params = StyleTransferParams(size=128, tv_weight=0.0)
    sitting = Sitting.prepare(photo, [strokes], params)
    scales = Scale(64, 48, 1), Scale(128, 96, 1)
    small, large = (judged(studio, sitting, 0.7 * sitting.content_at(scale)) for scale in scales)
    for one, other in zip(kinds(large[0])[:2], kinds(small[0])[:2], strict=True):
        assert 0.5 < one / other < 2.0
    lengths = [float(np.sqrt(np.mean(gradient**2))) for _, gradient in (small, large)]
    assert 0.5 < lengths[1] / lengths[0] < 2.0


def test_the_loss_of_a_picture_that_is_both_content_and_style_is_its_variation(
    studio: Studio, photo: Array
) -> None:
    sitting = Sitting.prepare(photo, [photo], StyleTransferParams(size=64))
    found, _ = judged(studio, sitting, sitting.content)
    weight = float(loss_weights(sitting.params)[0, 2])
    # The content in the colours of itself is itself but for rounding.
    assert kinds(found) == pytest.approx([0.0, 0.0, weight * variation(sitting.content)], abs=1e-4)


def test_targets_of_several_styles_are_their_grams_averaged_by_share(
    studio: Studio, photo: Array, strokes: Array, stripes: Array
) -> None:
    def targets(styles: list[Array], weights: tuple[float, ...]) -> dict[str, Array]:
        params = StyleTransferParams(size=64, style_weights=weights)
        found = targets_of(studio, Sitting.prepare(photo, styles, params), Scale(64, 48, 1))
        assert found.afar
        from_afar = {f"{name}_afar": target for name, target in found.afar.style.items()}
        return {name: np.asarray(x.matrix) for name, x in (found.style | from_afar).items()}

    mixed = targets([strokes, stripes], (3.0, 1.0))
    first, second = targets([strokes], (1.0,)), targets([stripes], (1.0,))
    layers = recipes.layers(StyleTransferParams())
    assert set(mixed) == {*layers.style, *(f"{name}_afar" for name in layers.style_afar)}
    for name, gram in mixed.items():
        np.testing.assert_allclose(gram, 0.75 * first[name] + 0.25 * second[name], rtol=1e-4)


# --- regions


def test_with_masks_the_style_loss_is_that_of_the_regions_by_their_share_of_the_picture(
    studio: Studio, features: Features, photo: Array, strokes: Array
) -> None:
    mask = np.where(np.arange(64)[:, np.newaxis] < 16, RED, GREEN).astype(np.float32)
    sitting = Sitting.prepare(
        photo,
        [strokes],
        StyleTransferParams(size=64),
        content_mask=np.broadcast_to(mask, (48, 64, 3)),
        style_masks=[halves(64, 64)],
    )
    image = noise(48, 64)
    found, _ = judged(studio, sitting, image)
    name = "block1_conv1"
    seen, wanted = (
        np.asarray(Network(features).activations(tf.constant(x[np.newaxis]), [name])[name][0])
        for x in (image, strokes)
    )

    def gram(columns: Array) -> Array:
        pixels = columns.reshape(-1, columns.shape[-1])
        return np.asarray(pixels.T @ pixels / len(pixels))

    # A pixel beside the edge is left out on both sides: it sees what lies beyond.
    small, large = (
        np.sum((gram(one) - gram(other)) ** 2) / np.sum(gram(other) ** 2)
        for one, other in ((seen[:, :15], wanted[:, :31]), (seen[:, 17:], wanted[:, 33:]))
    )
    share = float(loss_weights(sitting.params)[0, 1]) * recipes.layers(sitting.params).style[name]
    expected = share * (0.25 * small + 0.75 * large)
    assert found[f"style/{name}"] == pytest.approx(expected, rel=1e-2)
    assert not np.isclose(small, large, rtol=0.05)


def test_a_style_that_does_not_have_a_region_is_no_part_of_its_target(
    studio: Studio, photo: Array, strokes: Array, stripes: Array
) -> None:
    red, green = (np.broadcast_to(np.array(x, np.float32), (64, 64, 3)) for x in (RED, GREEN))

    def targets(second: Array) -> Targets:
        sitting = Sitting.prepare(
            photo,
            [strokes, second],
            StyleTransferParams(size=64),
            content_mask=halves(48, 64),
            style_masks=[red, green],
        )
        return targets_of(studio, sitting, Scale(64, 48, 1))

    one, other = targets(resized(stripes)), targets(noise(64, 64))
    alone = targets_of(
        studio,
        Sitting.prepare(photo, [strokes], StyleTransferParams(size=64)),
        Scale(64, 48, 1),
    )
    for name in recipes.layers(StyleTransferParams()).style:
        matrices = [np.asarray(target.style[name].matrix) for target in (one, other)]
        kept, changed = range(2) if same(matrices, 0) else (1, 0)
        assert same(matrices, kept)
        assert not same(matrices, changed)
        found = matrices[0][0, kept]
        np.testing.assert_allclose(found, alone.style[name].matrix[0, 0], rtol=1e-4)


def test_a_region_of_all_the_picture_is_judged_as_no_region(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    params = StyleTransferParams(size=64)
    red = np.broadcast_to(np.array(RED, np.float32), (48, 64, 3))
    masked = Sitting.prepare(
        photo,
        [strokes],
        params,
        content_mask=red,
        style_masks=[np.broadcast_to(red[0, 0], (64, 64, 3))],
    )
    image = noise(48, 64)
    one, other = (
        judged(studio, sitting, image)
        for sitting in (masked, Sitting.prepare(photo, [strokes], params))
    )
    assert one[0] == pytest.approx(other[0], rel=1e-4)
    np.testing.assert_allclose(one[1], other[1], atol=1e-3 * np.abs(other[1]).max())


# --- several pictures


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("masked", [False, True])
def test_two_pictures_in_one_go_are_judged_as_each_alone(  # noqa: PLR0917
    studio: Studio,
    photo: Array,
    strokes: Array,
    stripes: Array,
    style_loss: str,
    masked: bool,  # noqa: FBT001
) -> None:
    weights: list[dict[str, Any]] = [{}, dict(zip(WEIGHT_FIELDS, (2.0, 0.5, 3.0), strict=True))]
    masks: list[dict[str, Any]] = [
        {"content_mask": halves(48, 64), "style_masks": [halves(64, 64)]},
        {"content_mask": quarter(48, 64), "style_masks": [quarter(64, 48)]},
    ]
    contents, styles = (photo, strokes[8:56]), (strokes, stripes)
    sittings = [
        prepared(content, [style], style_loss=style_loss, **own, **(mask if masked else {}))
        for content, style, own, mask in zip(contents, styles, weights, masks, strict=True)
    ]
    images = [noise(48, 64, seed) for seed in (1, 2)]
    alone = [judged(studio, *pair) for pair in zip(sittings, images, strict=True)]

    objective = studio._objective(sittings[0].params, sittings[0].region_count)
    targets = [targets_of(studio, sitting, Scale(64, 48, 1)) for sitting in sittings]
    parts, gradient = objective.loss_and_gradient(
        tf.constant(images),
        tf.nest.map_structure(lambda *x: tf.concat(x, 0), *targets),
        tf.concat([loss_weights(sitting.params) for sitting in sittings], 0),
    )
    # The Wasserstein loss of a deep layer is the small difference of large traces.
    rtol = 1e-3 if style_loss == "wasserstein" else 1e-5
    for number, (by_name, slope) in enumerate(alone):
        np.testing.assert_allclose(parts[number], list(by_name.values()), rtol=rtol)
        np.testing.assert_allclose(gradient[number], slope, atol=3e-5 * np.abs(slope).max())
    assert not np.allclose(parts[0], parts[1], rtol=0.1)


def forgetful(studio: Studio, params: StyleTransferParams) -> Objective:
    """That of a studio, but it has seen no style yet."""
    objective = copy(studio._objective(params))
    objective._remembered = remembered_styles()
    return objective


class Looks:
    """How often the network looked at styles, from near and from afar."""

    def __init__(self, studio: Studio, params: StyleTransferParams, monkeypatch: Any) -> None:
        self.objective = forgetful(studio, params)
        self.counted = 0
        for name in ("_style_moments", "_style_moments_afar"):
            monkeypatch.setattr(self.objective, name, self._counting(name))

    def _counting(self, name: str) -> Any:
        look = getattr(self.objective, name)

        def counting(*arguments: Any) -> Any:
            self.counted += 1
            return look(*arguments)

        return counting

    def during(self, sitting: Sitting, scale: Scale) -> int:
        before = self.counted
        self.objective.targets(sitting, scale)
        return self.counted - before


def test_a_style_is_looked_at_once_for_all_photographs_at_a_size(
    studio: Studio,
    photo: Array,
    strokes: Array,
    stripes: Array,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = prepared(photo, [strokes]), prepared(1 - photo, [strokes, stripes])
    looks = Looks(studio, one.params, monkeypatch)
    small, large = Scale(32, 24, 1), Scale(64, 48, 1)
    assert looks.during(one, large) == 2
    assert looks.during(one, large) == 0
    assert looks.during(one, small) == 2, "its strokes are of another size there"
    assert looks.during(other, large) == 2, "of the second style alone"
    assert looks.during(prepared(photo, [np.flipud(strokes)]), large) == 2
    for limit, pixels in (("LARGEST", 32 * 32), ("_SIDE", 32)):
        monkeypatch.setattr(tiles, limit, pixels)
    assert looks.during(one, large) == 2, "its tiles are rounded otherwise"


def test_what_is_remembered_of_styles_is_not_that_of_another_kind_of_painting(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    kinds: tuple[dict[str, Any], ...]
    kinds = ({"preset": "gatys"}, {"pooling": "average"}, {"pooling": "max"}, {})
    for _ in range(2):
        for kind in kinds:
            sitting = prepared(photo, [strokes], **kind)
            found = targets_of(studio, sitting, Scale(64, 48, 1)).style["block2_conv1"].matrix
            anew = forgetful(studio, sitting.params).targets(sitting, Scale(64, 48, 1))
            np.testing.assert_array_equal(found, anew.style["block2_conv1"].matrix)


def test_what_is_remembered_of_styles_makes_the_same_targets(
    studio: Studio, photo: Array, strokes: Array, stripes: Array
) -> None:
    sitting = prepared(photo, [strokes, stripes])
    objective, scale = forgetful(studio, sitting.params), Scale(64, 48, 1)
    anew, again = (tf.nest.flatten(objective.targets(sitting, scale)) for _ in range(2))
    for one, other in zip(anew, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_style_with_other_regions_is_not_taken_for_the_same(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    scale, styles = Scale(64, 48, 1), []
    for mask in (halves(64, 64), quarter(64, 64)):
        sitting = prepared(photo, [strokes], content_mask=halves(48, 64), style_masks=[mask])
        styles.append(targets_of(studio, sitting, scale).style["block1_conv1"].matrix.numpy())
    assert not np.array_equal(*styles)
