"""neural-style's loss of a picture, in float32 and in our terms."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.graphs import Kind
from model.objective import Objective, loss_weights
from model.params import StyleTransferParams
from model.recipes import Layers, layers
from model.sitting import Sitting
from model.vgg import CONVOLUTIONS, Network

Array = npt.NDArray[np.float32]

#: neural-style's default.
_CONTENT_WEIGHT = 5.0

_GATYS = layers(StyleTransferParams(preset="gatys"))


class NeuralLoss:
    """The loss that neural-style has for a pair, in its network as the driver normalises it.

    With a gain g for each layer, so that the content picture's activations have a mean square of
    the number of channels C, its terms are 5 g^2 mean (F - P)^2 for the content, and for a style
    layer w mean (g^2 (G - A) / C)^2 over the C^2 entries of Gram matrices that are means over
    positions. Ours are the same, over what the target has: (``losses.content_scale`` and sum A^2).

    Args:
        network: in float32.
        content: float32 RGB in [0, 1], [height, width, 3].
        style: likewise.
        style_weight: neural-style's ``-style_weight``.

    Attributes:
        kind: for an objective with this loss, under ``neural_params``.
    """

    def __init__(self, network: Network, content: Array, style: Array, style_weight: float) -> None:
        params = neural_params(max(content.shape))
        balance = loss_weights(params)
        of_content, of_style, _ = balance[0].numpy().tolist()
        sitting = Sitting.prepare(content, [style], params)
        alike = Objective(network, Kind(_GATYS, "max", "gram", 0))
        targets = alike.targets(sitting, sitting.scales[0])
        gains = _squared_gains(network, content)
        weights = {}
        for name, target in targets.style.items():
            channels = CONVOLUTIONS[name].outputs
            strength = float(tf.reduce_sum(tf.square(target.matrix)))
            weights[name] = style_weight * (gains[name] / channels) ** 2 * strength / channels**2
        by_content = {}
        for name, target in targets.content.items():
            scale = float(target.scale[0]) / float(tf.size(target.activations))
            by_content[name] = _CONTENT_WEIGHT * gains[name] * scale
        total = sum(weights.values()) + sum(by_content.values())
        by_content = {name: w / total / of_content for name, w in by_content.items()}
        weights = {name: w / total / of_style for name, w in weights.items()}
        self.kind = Kind(Layers(by_content, weights), "max", "gram", 0)
        self._objective = Objective(network, self.kind)
        self._weights = balance
        self._targets = self._objective.targets(sitting, sitting.scales[0])

    def __call__(self, picture: Array) -> float:
        """Of a picture of the content's size, float32 RGB in [0, 1]; 1 if nothing is right."""
        image = tf.constant(picture[np.newaxis])
        parts, _ = self._objective.loss_and_gradient(image, self._targets, self._weights)
        return float(tf.reduce_sum(parts))


def neural_params(size: int, optimizer: str = "adam", init: str = "noise") -> StyleTransferParams:
    """With which a run paints for this loss."""
    return StyleTransferParams.model_validate(
        {"size": size, "preset": "gatys", "optimizer": optimizer, "init": init, "tv_weight": 0}
    )


def _squared_gains(network: Network, content: Array) -> dict[str, float]:
    names = (*_GATYS.content, *_GATYS.style)
    seen = network.activations(tf.constant(content[np.newaxis]), names, "max")
    return {
        name: CONVOLUTIONS[name].outputs / float(tf.reduce_mean(tf.square(x)))
        for name, x in seen.items()
    }
