"""What a painting is judged by: pure functions of tensors, all in float32.

Each loss is relative to its target, so that it is about 1 for a picture that has nothing of the
target, 0 for one that has all of it, at any size, in any layer and with any features: this is
what lets one set of weights serve them all. Gatys et al. 2016 use absolute squared errors
(equations 1 and 4), whose scale differs by orders of magnitude between layers and weights files.
"""

import tensorflow as tf

#: Guards the divisions for an all-black target, whose activations may all be zero.
_TINY = 1e-12


def gram_matrix(activations: tf.Tensor) -> tf.Tensor:
    """Correlations between the channels of a layer (Gatys et al. 2016, equation 3).

    Args:
        activations: [1, height, width, channels], any float type.

    Returns:
        Mean over the positions of the outer products, float32 [channels, channels]. The mean,
        where the paper has the sum, makes pictures of different sizes comparable.
    """
    flat = tf.cast(tf.reshape(activations, [-1, activations.shape[-1]]), tf.float32)
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)


def content_loss(activations: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Squared error of a layer's activations, relative to the target's variance.

    Gatys et al. 2016, equation 1, divided by what a featureless picture would get.

    Args:
        activations: of the generated image, [1, height, width, channels], any float type.
        target: of the content image, same shape.

    Returns:
        A float32 scalar, at least 0.
    """
    target = tf.cast(target, tf.float32)
    variance = tf.reduce_mean(tf.math.reduce_variance(target, axis=[1, 2]))
    # At least a share of the mean square: an almost flat photograph has hardly any variance,
    # and would outweigh everything.
    scale = tf.maximum(variance, 0.01 * tf.reduce_mean(tf.square(target))) + _TINY
    error = tf.reduce_mean(tf.math.squared_difference(tf.cast(activations, tf.float32), target))
    return error / scale


def style_loss(gram: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Squared error of a Gram matrix, relative to the target's square.

    Gatys et al. 2016, equation 4, divided by the squared norm of the style's Gram matrix.

    Args:
        gram: of the generated image, float32 [channels, channels].
        target: of the style, same shape.

    Returns:
        A float32 scalar, at least 0.
    """
    error = tf.reduce_sum(tf.math.squared_difference(gram, target))
    return error / (tf.reduce_sum(tf.square(target)) + _TINY)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Mean squared difference between neighbouring pixels (Mahendran & Vedaldi 2015, beta = 2).

    Args:
        image: float32 [1, height, width, 3].

    Returns:
        A float32 scalar, at least 0.
    """
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    return tf.reduce_mean(tf.square(down)) + tf.reduce_mean(tf.square(right))
