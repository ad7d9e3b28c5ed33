"""What paintings are judged by: pure functions of tensors, all in float32.

The first axis of each is that of the pictures, which are judged each by itself.

Each loss is relative to its target, so that it is about 1 for a picture that has nothing of the
target, 0 for one that has all of it, at any size, in any layer and with any features: this is
what lets one set of weights serve them all. Gatys et al. 2016 use absolute squared errors
(equations 1 and 4), whose scale differs by orders of magnitude between layers and weights files.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import tensorflow as tf

from model.moments import Moments

#: Guards the divisions for an all-black target, whose activations may all be zero.
_TINY = 1e-12

#: Added to the covariances, relative to the target's mean variance: no direction is ever empty.
_RIDGE = 1e-4

#: Of a photograph without edges, the mean square of the differences that still count: those of
#: hundredths of the range, about what is left of a smooth sky.
_FAINT = 1e-4

#: Faint edges are made so much stronger at most: the rest of a flat photograph is noise.
_MOST_GAIN = 2.0

#: Luma of sRGB (Rec. ITU-R BT.709-6, section 3.2).
_LUMA = (0.2126, 0.7152, 0.0722)

#: Eigenvalues below this share of the largest are lost in the rounding of float32.
_ROUNDING = 1e-7


class StyleTarget(NamedTuple):
    """What a layer's moments are held against, by region.

    Attributes:
        mean: float32 [pictures, regions, channels].
        matrix: what the loss at hand compares with, float32 [pictures, regions, channels,
            channels].
    """

    mean: tf.Tensor
    matrix: tf.Tensor


class StyleLoss(Protocol):
    """A measure of how far a layer's moments are from a style's."""

    def target(self, moments: Moments) -> StyleTarget:
        """The style's moments, made ready for ``distance``."""

    def distance(self, moments: Moments, target: StyleTarget) -> tf.Tensor:
        """How far regions are from their styles, relative to these; float32 [pictures, regions]."""


class GramLoss:
    """Squared error of the Gram matrix (Gatys et al. 2016, equation 4) over the target's square."""

    def target(self, moments: Moments) -> StyleTarget:
        """The style's Gram matrix."""
        return StyleTarget(moments.mean, moments.second)

    def distance(self, moments: Moments, target: StyleTarget) -> tf.Tensor:
        """0 at the target, 1 for a black picture."""
        error = tf.math.squared_difference(moments.second, target.matrix)
        return _relative(total(error, 2), total(tf.square(target.matrix), 2) + _TINY)


class WassersteinLoss:
    """Squared Wasserstein-2 distance of the two Gaussians with these moments, relative.

    |m - m_t|^2 + tr(C + C_t - 2 (C_t^1/2 C C_t^1/2)^1/2) (Olkin & Pukelsheim 1982, equation 4),
    over |m_t|^2 + tr C_t. Crowson's style-transfer-pytorch brought it to style transfer.
    """

    def target(self, moments: Moments) -> StyleTarget:
        """The style's mean, and the square root of its covariance."""
        covariance = _covariance(moments)
        return StyleTarget(moments.mean, _roots(_ridged(covariance, covariance))[0])

    def distance(self, moments: Moments, target: StyleTarget) -> tf.Tensor:
        """0 at the target, 1 for a black picture."""
        wanted = target.matrix @ target.matrix
        found = _ridged(_covariance(moments), wanted)
        means = total(tf.math.squared_difference(moments.mean, target.mean), 2)
        variance = tf.linalg.trace(wanted)
        spread = tf.linalg.trace(found) + variance - 2.0 * _fidelity(found, target.matrix)
        return _relative(means + spread, total(tf.square(target.mean), 2) + variance + _TINY)


STYLE_LOSSES: Mapping[str, StyleLoss] = {"gram": GramLoss(), "wasserstein": WassersteinLoss()}


def content_scale(target: tf.Tensor) -> tf.Tensor:
    """What the squared errors of a content layer are divided by: float32 [pictures], above 0.

    The target's variance, so that a featureless picture has a mean error of 1, times the number
    of activations.
    """
    target = tf.cast(target, tf.float32)
    variance = tf.reduce_mean(tf.math.reduce_variance(target, axis=[1, 2]), axis=1)
    # At least a share of the mean square: an almost flat photograph has hardly any variance,
    # and would outweigh everything.
    scale = tf.maximum(variance, 0.01 * _mean(tf.square(target))) + _TINY
    return scale * _size(target)


def content_loss(activations: tf.Tensor, target: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Squared error of a layer's activations (Gatys et al. 2016, equation 1), relative.

    Args:
        activations: of generated images or of tiles of them, [pictures, height, width, channels].
        target: of the content images, same shape.
        scale: of the whole content images, by ``content_scale``.

    Returns:
        float32 [pictures], at least 0; those of a picture's tiles add up to that of the picture.
    """
    error = tf.math.squared_difference(
        tf.cast(activations, tf.float32), tf.cast(target, tf.float32)
    )
    return _relative(total(error), scale)


def luminance(picture: tf.Tensor) -> tf.Tensor:
    """How bright a picture is: [pictures, height, width, 3] to one channel."""
    return tf.matmul(picture, tf.constant(_LUMA)[:, tf.newaxis])


def edges_strength(picture: tf.Tensor) -> tf.Tensor:
    """Mean square of the differences between neighbouring pixels, float32 [pictures], above 0."""
    return _mean(tf.square(_edges(picture))) + _TINY


def edges_gain(target: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """By how much the edges of a picture are made stronger or weaker, to be as strong as asked for.

    Args:
        target: luminance, float32 [pictures, height, width, 1].
        strength: ``edges_strength`` of what it is to look like.

    Returns:
        float32 [pictures, 1, 1, 1], at most ``_MOST_GAIN``.
    """
    gain = tf.minimum(tf.sqrt(strength / edges_strength(target)), _MOST_GAIN)
    return gain[:, tf.newaxis, tf.newaxis, tf.newaxis]


def edges_scale(target: tf.Tensor) -> tf.Tensor:
    """What the squared errors of the edges are divided by: the target's own, above 0."""
    edges = _edges(target)
    return tf.maximum(total(tf.square(edges)), _FAINT * _size(edges)) + _TINY


def edges_loss(picture: tf.Tensor, target: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Squared error of the differences between neighbouring pixels, relative.

    After the Laplacian loss of Li et al. 2017, with first differences for second ones: what is
    flat stays flat as well.

    Args:
        picture: luminance of generated images from afar, float32 [pictures, height, width, 1].
        target: of the content images, same shape.
        scale: of the content images, by ``edges_scale``.

    Returns:
        float32 [pictures]: 0 for the same edges, whatever the brightness, 1 for none.
    """
    return _relative(total(tf.square(_edges(picture - target))), scale)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Mean squared difference between neighbouring pixels (Mahendran & Vedaldi 2015, beta = 2).

    Args:
        image: float32 [pictures, height, width, 3].

    Returns:
        float32 [pictures], at least 0.
    """
    down, right = _differences(image)
    return _mean(tf.square(down)) + _mean(tf.square(right))


def _edges(picture: tf.Tensor) -> tf.Tensor:
    """Differences of neighbours in rows and in columns, in one heap; [pictures, differences]."""
    shape = [tf.shape(picture)[0], -1]
    return tf.concat([tf.reshape(difference, shape) for difference in _differences(picture)], 1)


def _differences(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Of neighbours in columns, and in rows."""
    return _difference(picture, [0, 1, 0, 0]), _difference(picture, [0, 0, 1, 0])


def _difference(picture: tf.Tensor, shift: list[int]) -> tf.Tensor:
    # The gradient of tf.slice is a padding; that of [1:] is several times as slow.
    size = tf.shape(picture) - shift
    return tf.slice(picture, shift, size) - tf.slice(picture, [0, 0, 0, 0], size)


def _covariance(moments: Moments) -> tf.Tensor:
    return moments.second - moments.mean[..., tf.newaxis] * moments.mean[..., tf.newaxis, :]


def _ridged(covariance: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """With something in every direction, in proportion to a reference's mean variance."""
    channels = covariance.shape[-1]
    ridge = _RIDGE * tf.linalg.trace(reference) / channels + _TINY
    return covariance + ridge[..., tf.newaxis, tf.newaxis] * tf.eye(channels)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _fidelity(covariance: tf.Tensor, root: tf.Tensor) -> tuple[tf.Tensor, object]:
    """The trace of (R C R)^1/2, for a covariance C and the square root R of another."""
    square_root, inverse = _roots(root @ covariance @ root)

    def pull_back(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # In closed form: through the eigenvectors it is not finite where eigenvalues coincide.
        return 0.5 * upstream[..., tf.newaxis, tf.newaxis] * (root @ inverse @ root), None

    return tf.linalg.trace(square_root), pull_back


def _roots(matrix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Square root of a symmetric matrix, and the inverse of that; NaN of what is not finite."""
    # The solver raises where a number is not finite, and nobody would see that the loss exploded.
    is_finite = tf.reduce_all(tf.math.is_finite(matrix), [-2, -1])[..., tf.newaxis]
    matrix = tf.where(is_finite[..., tf.newaxis], matrix, 0.0)
    values, vectors = tf.linalg.eigh(matrix)
    values = tf.where(is_finite, values, float("nan"))
    floor = _ROUNDING * values[..., -1:] + _TINY**3  # these are products of three small matrices
    values = tf.sqrt(tf.maximum(values, floor))[..., tf.newaxis, :]
    root = tf.matmul(vectors * values, vectors, transpose_b=True)
    return root, tf.matmul(vectors / values, vectors, transpose_b=True)


def total(x: tf.Tensor, axis: int = 1) -> tf.Tensor:
    """The sum over this axis and all that follow; by picture, unless another is given."""
    # With the axes kept, its gradient need not find out which they were.
    axes = [*range(axis, x.shape.rank)]
    return tf.squeeze(tf.reduce_sum(x, axes, keepdims=True), axes)


def _mean(x: tf.Tensor) -> tf.Tensor:
    """By picture."""
    return _relative(total(x), _size(x))


def _relative(x: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """One over the other: a division's gradient would compute that of the reference as well."""
    return x * tf.math.reciprocal(reference)


def _size(x: tf.Tensor) -> tf.Tensor:
    """Of a picture's part of it."""
    return tf.cast(tf.reduce_prod(tf.shape(x)[1:]), tf.float32)
