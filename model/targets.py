"""What pictures are held against: activations of the photograph, moments of the styles.

The first axis of all tensors is that of the pictures.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from model.afar import View

#: Values by the name of a layer.
ByLayer = dict[str, Any]


class ContentTarget(NamedTuple):
    """Activations of the content image, [pictures, height, width, channels]; scale, [pictures]."""

    activations: tf.Tensor
    scale: tf.Tensor


class StyleAfar(NamedTuple):
    """What is seen of a style picture from afar.

    Attributes:
        moments: by layer.
        edges: how strong they are, float32 [1].
    """

    moments: ByLayer
    edges: tf.Tensor


class StyleSeen(NamedTuple):
    """What a painting takes from a style picture, in one size.

    Attributes:
        moments: by layer.
        afar: what is seen from there; None where nothing is.
    """

    moments: ByLayer
    afar: StyleAfar | None

    @property
    def bytes(self) -> int:
        """Of memory."""
        tensors = tf.nest.flatten(self)
        return sum(t.shape.num_elements() * t.dtype.size for t in tensors if t is not None)


class AfarTargets(NamedTuple):
    """What a picture seen from afar is held against.

    Attributes:
        edges_view: from where its edges are seen.
        edges: the content image's luminance from there, one channel, and its scale.
        style_view: from where its style is seen.
        style: by layer, as in ``Targets``.
        guides: likewise.
        shares: likewise.
    """

    edges_view: View
    edges: ContentTarget
    style_view: View
    style: ByLayer
    guides: ByLayer
    shares: ByLayer


class Targets(NamedTuple):
    """What a picture is held against; each by layer.

    Attributes:
        content: a ``ContentTarget`` for each content layer.
        style: a ``StyleTarget`` for each style layer.
        guides: how much each position counts for each region, as ``moments`` wants them.
        shares: of each region in the layer's style loss, float32 [pictures, regions].
        afar: what it is held against as seen from afar; () where it is not seen from there.
    """

    content: ByLayer
    style: ByLayer
    guides: ByLayer
    shares: ByLayer
    afar: AfarTargets | tuple[()]
