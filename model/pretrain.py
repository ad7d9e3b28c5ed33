"""Learns VGG-19's convolutions without labels, layer by layer, on a CPU in minutes.

For each convolution, in order: sample 3x3 patches of the layer below, whiten them, choose as many
directions in the whitened space as the layer has outputs, and fold it all into kernel and bias, so
that the result is an ordinary VGG-19. Then go up one layer (Coates & Ng 2012, "Learning Feature
Representations with K-means").

The directions decide what the features can paint. The low layers need selective ones, the centroids
of spherical k-means: without them there are no strokes. The deep layers need all the layer below
evenly mixed, which a random rotation does: even networks that learned nothing describe textures
that way (He, Wang & Hopcroft 2016; Ustyuzhaninov et al. 2016).

``python -m model.pretrain --output model/features/bundled.npz``
"""

import argparse
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse
import tensorflow as tf

from model.scenes import pictures
from model.vgg import VGG19, Conv, Pool

Array = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)

SELECTIVE_BLOCKS = ("block1", "block2", "block3")  # their directions come from k-means


@dataclass(frozen=True)
class Recipe:
    """How to learn.

    Attributes:
        seed: of the pictures, crops, patches and directions.
        crops: pieces of pictures that the network is learned from.
        side: of a crop, in pixels.
        patches: 3x3 patches sampled for a layer.
        rounds: of k-means.
        evenness: of the whitening: the part of the mean eigenvalue added to each one. Small
            values amplify the directions that vary least, which are mostly noise.
        pixel_evenness: the same for the first layer. There the directions that vary least are
            fine detail and contrasts of colour; a layer that hardly sees them paints colour
            noise, and loses what is thin in the content image.
    """

    seed: int = 0
    crops: int = 200
    side: int = 160
    patches: int = 50_000
    rounds: int = 8
    evenness: float = 0.2
    pixel_evenness: float = 0.02


@dataclass(frozen=True)
class Learned:
    """One convolution: kernel [3, 3, inputs, outputs] and bias [outputs], both float16."""

    name: str
    kernel: npt.NDArray[np.float16]
    bias: npt.NDArray[np.float16]


def learn(sources: Sequence[Array], recipe: Recipe) -> dict[str, Any]:
    """VGG-19 learned from pictures, in the arrays of the project's ``.npz`` format.

    Args:
        sources: float32 RGB in [0, 1], each [height, width, 3].
        recipe: how to learn.

    Returns:
        ``mean`` [3], ``pooling``, and ``<layer>/kernel`` and ``<layer>/bias`` for each convolution.
    """
    rng = np.random.default_rng(recipe.seed)
    pieces = crops(sources, recipe, rng)
    mean = pieces.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
    arrays: dict[str, Any] = {"mean": mean, "pooling": np.array("average")}
    for layer in layers(pieces - mean, recipe, rng):
        arrays[f"{layer.name}/kernel"] = layer.kernel
        arrays[f"{layer.name}/bias"] = layer.bias
    return arrays


def crops(sources: Sequence[Array], recipe: Recipe, rng: np.random.Generator) -> Array:
    """Squares from anywhere in the pictures, each as often, [crops, side, side, 3]."""
    chosen = (sources[i % len(sources)] for i in range(recipe.crops))
    return np.stack([_crop(picture, recipe.side, rng) for picture in chosen])


def layers(below: Array, recipe: Recipe, rng: np.random.Generator) -> Iterator[Learned]:
    """The convolutions in order, each learned from what the one before makes of the crops."""
    for layer in VGG19:
        if isinstance(layer, Pool):
            below = _batched(_pool, below)
            continue
        started = time.monotonic()
        learned = learn_layer(layer, sample(below, recipe.patches, rng), recipe, rng)
        below = _batched(partial(convolve, layer=learned), below)
        _report(learned, below, time.monotonic() - started)
        yield learned


def learn_layer(layer: Conv, patches: Array, recipe: Recipe, rng: np.random.Generator) -> Learned:
    """One convolution from patches of the layer below, [patches, 9 * inputs]."""
    centre = patches.mean(axis=0)
    centred = patches - centre
    weights = detectors(layer, centred, recipe, rng)
    # Unit RMS after the ReLU: every channel weighs the same, and float16 is never at its limits.
    squares = np.square(np.maximum(centred @ weights, 0))
    weights /= np.sqrt(np.mean(squares, axis=0, dtype=np.float64)).astype(np.float32)
    return Learned(
        name=layer.name,
        kernel=weights.reshape(3, 3, layer.inputs, layer.outputs).astype(np.float16),
        bias=(-centre @ weights).astype(np.float16),
    )


def detectors(layer: Conv, centred: Array, recipe: Recipe, rng: np.random.Generator) -> Array:
    """What a layer looks for in centred patches, whitening included: [9 * inputs, outputs]."""
    evenness = recipe.pixel_evenness if layer.name == "block1_conv1" else recipe.evenness
    if not layer.name.startswith(SELECTIVE_BLOCKS):
        return whitener(centred, layer.outputs, evenness) @ rotation(layer.outputs, rng)
    whitening = whitener(centred, None, evenness)
    return whitening @ spherical_kmeans(centred @ whitening, layer.outputs, recipe.rounds, rng)


def sample(maps: Array, patches: int, rng: np.random.Generator) -> Array:
    """3x3 patches from anywhere inside maps [n, height, width, channels]: [patches, 9 * channels].

    The order is that of a kernel, [3, 3, channels], flattened.
    """
    count, height, width, channels = maps.shape
    n = rng.integers(0, count, patches)
    y = rng.integers(0, height - 2, patches)
    x = rng.integers(0, width - 2, patches)
    found = np.empty((patches, 3, 3, channels), np.float32)
    for dy in range(3):
        for dx in range(3):
            found[:, dy, dx] = maps[n, y + dy, x + dx]
    return found.reshape(patches, 9 * channels)


def whitener(centred: Array, directions: int | None, evenness: float) -> Array:
    """PCA whitening, [dimensions, directions]; None keeps all of them.

    Args:
        centred: patches with zero mean, [patches, dimensions].
        directions: how many of the leading principal directions to keep.
        evenness: part of the mean eigenvalue that is added to each.
    """
    dimensions = centred.shape[1]
    covariance = centred.T @ centred / np.float32(len(centred))
    first = 0 if directions is None else dimensions - directions
    values, vectors = scipy.linalg.eigh(covariance, subset_by_index=(first, dimensions - 1))
    regular = np.maximum(values, 0) + evenness * np.trace(covariance) / dimensions
    return np.asarray(vectors / np.sqrt(regular), np.float32)


def spherical_kmeans(points: Array, clusters: int, rounds: int, rng: np.random.Generator) -> Array:
    """Unit directions that points gather around, [dimensions, clusters].

    A centroid is the sum of its points scaled to unit length. The points keep their lengths
    (Coates & Ng 2012): flat patches are mostly noise, and hardly count this way.
    """
    directions = _unit(points[rng.choice(len(points), clusters, replace=False)].T)
    for _ in range(rounds):
        nearest = np.argmax(points @ directions, axis=1)
        members = scipy.sparse.csr_array(
            (np.ones(len(points), np.float32), (nearest, np.arange(len(points)))),
            shape=(clusters, len(points)),
        )
        # The old direction is added, so that one whose points all left stays where it is.
        directions = _unit((members @ points).T + directions)
    return directions


def rotation(size: int, rng: np.random.Generator) -> Array:
    """An orthogonal matrix, each as likely (Mezzadri 2007), [size, size]."""
    orthogonal, triangular = np.linalg.qr(rng.normal(size=(size, size)))
    return np.asarray(orthogonal * np.sign(np.diag(triangular)), np.float32)


def convolve(maps: tf.Tensor, layer: Learned) -> tf.Tensor:
    """The layer's activations; the border is repeated, so that it teaches no edges."""
    padded = tf.pad(maps, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    kernel = tf.constant(layer.kernel, tf.float32)
    return tf.nn.relu(
        tf.nn.conv2d(padded, kernel, 1, "VALID") + tf.constant(layer.bias, tf.float32)
    )


def _crop(picture: Array, side: int, rng: np.random.Generator) -> Array:
    """A square from anywhere in a picture, of any size down to side, shrunk to side."""
    height, width = picture.shape[:2]
    size = int(rng.integers(side, min(height, width) + 1))
    top = int(rng.integers(0, height - size + 1))
    left = int(rng.integers(0, width - size + 1))
    square = picture[top : top + size, left : left + size]
    shrunk = tf.image.resize(square, (side, side), method="area")
    return np.asarray(shrunk, np.float32)


def _unit(columns: Array) -> Array:
    lengths = np.linalg.norm(columns, axis=0)
    return np.asarray(columns / np.maximum(lengths, np.finfo(np.float32).tiny))


def _pool(maps: tf.Tensor) -> tf.Tensor:
    return tf.nn.avg_pool2d(maps, ksize=2, strides=2, padding="VALID")


def _batched(function: Callable[[tf.Tensor], tf.Tensor], maps: Array, size: int = 8) -> Array:
    """The function of each map, a few at a time, to spare memory."""
    return np.concatenate([function(maps[i : i + size]) for i in range(0, len(maps), size)])


def _report(layer: Learned, maps: Array, seconds: float) -> None:
    rms = np.sqrt(np.mean(np.square(maps), dtype=np.float64))
    active = np.mean(maps > 0)
    logger.info("%s  %5.1f s  RMS %.3f  active %.2f", layer.name, seconds, rms, active)


def main() -> None:
    """Learn from all pictures of `model.scenes`, and write the file."""
    parser = argparse.ArgumentParser(description="Learn the bundled features.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tf.config.experimental.enable_op_determinism()
    recipe = Recipe(seed=arguments.seed)
    arrays = learn(pictures(recipe.seed), recipe)
    with arguments.output.open("wb") as file:
        np.savez(file, **arrays)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    line = f"{digest}  {arguments.output.name}\n"  # as sha256sum writes it
    arguments.output.with_suffix(".sha256").write_text(line, encoding="utf-8")


if __name__ == "__main__":
    main()
