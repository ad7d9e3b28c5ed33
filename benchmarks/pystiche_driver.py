"""Paints one picture with PyTorch's pystiche, our features in its network.

Runs in the environment where pystiche 1.0.1 is installed, beside ``neural_style_driver.py``:

    PYTHON benchmarks/pystiche_driver.py --features F.npz --content C.png --style S.png
        --output O.png --iterations 60 --every 10 --style-weight 1e5

It begins with the photograph, takes pystiche's own optimiser (L-BFGS) and its losses, weighted so
that their sum is the one that neural-style has: content at relu4_2, style at relu1_1 to relu5_1. It
prints what ``neural_style_driver.py`` prints, and puts its pictures where that does.
"""

import argparse
import contextlib
import importlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from neural_style_driver import Enough, Watch, normalise
from PIL import Image
from torch import nn

_CONTENT, _CONTENT_WEIGHT = "relu4_2", 5.0
_STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


class _FromMean(nn.Module):  # type: ignore[misc] # torch is not here
    """Pixels as our features take them."""

    def __init__(self, mean: Any) -> None:
        super().__init__()
        self._mean = torch.tensor(mean.astype(np.float32)).view(1, 3, 1, 1)

    def forward(self, image: Any) -> Any:
        """RGB in [0, 1], about the mean."""
        return image - self._mean


def main() -> None:
    """Paints what the command line asks for."""
    asked = _asked()
    pystiche = _pystiche()
    content, style = _read(asked.content), _read(asked.style)
    encoder = _encoder(pystiche, np.load(asked.features))
    with torch.no_grad():
        normalise(encoder.children(), content)
    loss = _loss(pystiche, encoder, asked.style_weight)
    loss.set_content_image(content)
    loss.set_style_image(style)
    watch = Watch(math.inf, asked.iterations, asked.every)
    with contextlib.suppress(Enough), contextlib.redirect_stdout(sys.stderr):
        pystiche.optim.image_optimization(
            content.clone(),
            loss,
            lambda image: _watched(pystiche.optim.default_image_optimizer(image), image, watch),
            num_steps=asked.iterations + 1,
            quiet=True,
        )
    _write(watch.image, asked.output)
    for iteration, (_, image) in watch.snapshots.items():
        _write(image, asked.output.with_name(f"{iteration}.png"))
    print(json.dumps(watch.facts()))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("features", "content", "style", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--every", type=int, required=True, help="iterations between snapshots")
    parser.add_argument("--style-weight", type=float, required=True)
    return parser.parse_args()


def _pystiche() -> Any:
    """The library, which imports names that torchvision does not have any more."""
    for module, name in (("alexnet", "alexnet"), ("vgg", "vgg19")):
        of_weights: Any = importlib.import_module(f"torchvision.models.{module}")
        of_weights.model_urls = {name: ""}  # which nobody asks for here
    return importlib.import_module("pystiche")


def _encoder(pystiche: Any, features: Any) -> Any:
    """Its VGG-19, with our weights in the layers that we have: those up to conv5_1."""
    encoder = pystiche.enc.vgg19_multi_layer_encoder(pretrained=False)
    encoder.preprocessing = _FromMean(features["mean"])
    convolutions = [layer for layer in encoder.children() if isinstance(layer, nn.Conv2d)]
    names = sorted(key.removesuffix("/kernel") for key in features.files if key.endswith("/kernel"))
    for layer, name in zip(convolutions, names, strict=False):
        kernel = features[f"{name}/kernel"].astype(np.float32)
        layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1).copy())
        layer.bias.data = torch.tensor(features[f"{name}/bias"].astype(np.float32))
    return encoder.requires_grad_(False)  # noqa: FBT003 - torch's own


def _loss(pystiche: Any, encoder: Any, style_weight: float) -> Any:
    """neural-style's: it divides Gram matrices by the number of channels as well."""
    content = pystiche.loss.FeatureReconstructionLoss(
        encoder.extract_encoder(_CONTENT), score_weight=_CONTENT_WEIGHT
    )

    def of_layer(of: Any, _weight: float) -> Any:
        channels = getattr(encoder, of.layer.replace("relu", "conv")).out_channels
        return pystiche.loss.GramLoss(of, score_weight=style_weight / channels**2)

    style = pystiche.loss.MultiLayerEncodingLoss(encoder, _STYLE, of_layer)
    return pystiche.loss.PerceptualLoss(content, style)


def _watched(optimizer: Any, image: Any, watch: Watch) -> Any:
    step = optimizer.step
    optimizer.step = lambda evaluate: step(watch.over(image, evaluate))
    return optimizer


def _read(file: Path) -> Any:
    pixels = np.asarray(Image.open(file).convert("RGB"), np.float32) / 255
    return torch.tensor(pixels.transpose(2, 0, 1)[np.newaxis].copy())


def _write(image: Any, file: Path) -> None:
    pixels = image[0].clamp(0, 1).numpy().transpose(1, 2, 0)
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(file)


if __name__ == "__main__":
    main()
