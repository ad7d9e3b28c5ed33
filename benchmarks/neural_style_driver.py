"""Paints one picture with PyTorch's neural-style, our features in its network.

Runs in an environment of its own, where neural-style 0.5.7 is installed, and needs nothing of ours:

    PYTHON benchmarks/neural_style_driver.py --features F.npz --content C.png --style S.png
        --output O.png --size 256 --seconds 40 -- [neural-style's own options]

It prints one line of JSON: the seconds and iterations that it took, and PyTorch's version. With
``--every N`` it also puts its picture after each N iterations into the folder of the output, as
``N.png``, ``2N.png``..., and when, in seconds of painting, into the line's ``snapshots``.
"""

import argparse
import contextlib
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

#: What neural-style subtracts from pixels in 0..256, in its order: blue, green, red.
_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
_RANGE = 256


class Enough(Exception):  # noqa: N818 - it is no error
    """The time is up, or the iterations are done."""


class Watch:
    """Ends an optimisation that knows no clock, and keeps the image that it had come to."""

    def __init__(self, seconds: float, iterations: int, every: int) -> None:
        self._limit = seconds, iterations
        self._every = every
        self._began = time.perf_counter()
        self.seconds = 0.0
        self.iterations = 0
        self.image: Any = None
        self.snapshots: dict[int, tuple[float, Any]] = {}

    def over(self, image: Any, evaluate: Callable[[], Any]) -> Callable[[], Any]:
        """The same evaluation of the loss, watched."""

        def watched() -> Any:
            loss = evaluate()
            self.seconds = time.perf_counter() - self._began
            self.iterations += 1
            if self._every and self.iterations % self._every == 0:
                self.snapshots[self.iterations] = self.seconds, image.detach().clone()
            if self.seconds >= self._limit[0] or self.iterations >= self._limit[1]:
                self.image = image.detach().clone()
                raise Enough
            return loss

        return watched

    def facts(self) -> dict[str, Any]:
        """What there is to say of it, for JSON."""
        return {
            "seconds": self.seconds,
            "iterations": self.iterations,
            "snapshots": {iteration: seconds for iteration, (seconds, _) in self.snapshots.items()},
            "torch": torch.__version__,
        }


def main() -> None:
    """Paints what the command line asks for."""
    asked = _asked()
    engine = _engine(asked)
    network = _network(np.load(asked.features), engine.params.pooling)
    normalise(network, engine.preprocess(asked.content, asked.size))
    layers = importlib.import_module("neural_style.loader.CaffeLoader").vgg19_dict
    network = network if asked.gpu == "c" else network.cuda()
    engine.loadCaffemodel = lambda *_: (network, layers)
    watch = Watch(asked.seconds, asked.iterations, asked.every)
    _let_watch(engine, watch)
    with contextlib.suppress(Enough), contextlib.redirect_stdout(sys.stderr):
        engine.main()
    engine.deprocess(watch.image).save(asked.output)
    for iteration, (_, image) in watch.snapshots.items():
        engine.deprocess(image).save(asked.output.with_name(f"{iteration}.png"))
    print(json.dumps(watch.facts()))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("features", "content", "style", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--iterations", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=0, help="iterations between snapshots")
    parser.add_argument("--gpu", default="c", help="number of a GPU, or c for the CPU")
    parser.add_argument("options", nargs="*", help="neural-style's own")
    return parser.parse_args()


def _engine(asked: argparse.Namespace) -> Any:
    """The engine, which reads its command line while it is imported."""
    sys.argv[1:] = [
        *("-content_image", str(asked.content), "-style_image", str(asked.style)),
        *("-image_size", str(asked.size), "-gpu", asked.gpu, "-seed", "0"),
        *("-num_iterations", str(asked.iterations + 1), "-save_iter", "0", "-print_iter", "0"),
        *asked.options,
    ]
    return importlib.import_module("neural_style.neural_style")


def _let_watch(engine: Any, watch: Watch) -> None:
    """Has the watch look on at each evaluation of the loss."""
    setup = engine.setup_optimizer

    def set_up(image: Any) -> tuple[Any, int]:
        optimizer, rounds = setup(image)
        step = optimizer.step
        optimizer.step = lambda evaluate: step(watch.over(image, evaluate))
        return optimizer, rounds

    engine.setup_optimizer = set_up


def _network(features: Any, pooling: str) -> Any:
    """Its own VGG-19, with our weights in the layers that we have: those up to conv5_1."""
    loader = importlib.import_module("neural_style.loader.CaffeLoader")
    network = loader.buildSequential(loader.channel_list["VGG-19"], pooling)
    convolutions = [layer for layer in network if isinstance(layer, torch.nn.Conv2d)]
    names = sorted(key.removesuffix("/kernel") for key in features.files if key.endswith("/kernel"))
    for layer, name in zip(convolutions, names, strict=False):
        kernel = features[f"{name}/kernel"].astype(np.float32)
        bias = features[f"{name}/bias"].astype(np.float32)
        if layer is convolutions[0]:
            kernel, bias = _for_its_pixels(kernel, bias, features["mean"])
        layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1).copy())
        layer.bias.data = torch.tensor(bias)
    return network


def _for_its_pixels(kernel: Any, bias: Any, mean: Any) -> tuple[Any, Any]:
    """Folds the pixels that it sees, x = 256 BGR - its mean, into weights for RGB - our mean."""
    kernel = kernel[:, :, ::-1]
    shift = _MEAN / _RANGE - mean[::-1]
    return kernel / _RANGE, bias + np.einsum("hwio,i->o", kernel, shift)


def normalise(network: Any, picture: Any) -> None:
    """Brings all layers to one scale, whatever features they are: ReLUs and poolings pass it on.

    Gatys et al. 2016 (section 2) normalise the network so that each layer's activations are as
    strong as another's. neural-style divides a Gram matrix by the number of channels once more
    than their equation 4 does; a mean square of that number gives each layer the weight that it
    has there.
    """
    gain = 1.0
    for layer in network:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data /= gain
            mean_square = layer(picture).detach().relu().square().mean()
            gain = float((layer.out_channels / mean_square) ** 0.5)
            layer.weight.data *= gain
            layer.bias.data *= gain
        picture = layer(picture).detach()


if __name__ == "__main__":
    main()
