"""Takes the steps of a style transfer in PyTorch, as fast as its settings allow.

Runs in an environment of its own, where torch is installed, and needs nothing of ours:

    PYTHON benchmarks/torch_driver.py --features F.npz --content C.npy --style S.npy [--device cuda]

It is asked in lines of JSON, ``{"setting": NAME, "size": PIXELS, "steps": N}``, and answers each
with one: ``{"seconds": [N numbers]}``, of single steps, or ``{"error": TEXT}``. The first two steps
of a painting are not counted. The first line it prints says which PyTorch it is, and names the
settings that the device has instructions for: without them a step in bfloat16 takes minutes.
"""

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

_CONTENT = "block4_conv2"
_STYLE = {
    "block1_conv1": 0.5,
    "block2_conv1": 1.0,
    "block3_conv1": 1.5,
    "block4_conv1": 3.0,
    "block5_conv1": 4.0,
}
_BALANCE = 75.0


@dataclass(frozen=True)
class Setting:
    """How PyTorch computes.

    Attributes:
        dtype: of the network.
        layout: of its activations.
        compiled: the mode of ``torch.compile``; None for without it.
    """

    dtype: torch.dtype
    layout: torch.memory_format
    compiled: str | None = None


SETTINGS = {
    "float32": Setting(torch.float32, torch.contiguous_format),
    "float32 channels_last": Setting(torch.float32, torch.channels_last),
    "float32 channels_last compiled": Setting(torch.float32, torch.channels_last, "default"),
    "bfloat16 channels_last": Setting(torch.bfloat16, torch.channels_last),
    "bfloat16 channels_last compiled": Setting(torch.bfloat16, torch.channels_last, "default"),
}

#: In which what is launched on a GPU is recorded once, and played back as one graph.
_GRAPHS = "reduce-overhead"

CUDA_SETTINGS = {
    **SETTINGS,
    "bfloat16 channels_last graphs": Setting(torch.bfloat16, torch.channels_last, _GRAPHS),
}


class Vgg(nn.Module):  # type: ignore[misc] # torch is not here
    """VGG-19 up to block5_conv1, average pooling, with our weights."""

    def __init__(self, features: Any, setting: Setting) -> None:
        super().__init__()
        self.names = sorted(k.removesuffix("/kernel") for k in features if k.endswith("/kernel"))
        self.convolutions = nn.ModuleList(self._convolution(features, name) for name in self.names)
        self.to(dtype=setting.dtype, memory_format=setting.layout)
        self.requires_grad_(False)  # noqa: FBT003 - torch's own

    @staticmethod
    def _convolution(features: Any, name: str) -> nn.Conv2d:
        kernel = torch.tensor(features[f"{name}/kernel"].astype(np.float32).transpose(3, 2, 0, 1))
        layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        layer.weight.data = kernel
        layer.bias.data = torch.tensor(features[f"{name}/bias"].astype(np.float32))
        return layer

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """The activations that are judged, by layer name."""
        found, x, block = {}, image, "block1"
        for name, convolution in zip(self.names, self.convolutions, strict=True):
            if not name.startswith(block):
                x, block = functional.avg_pool2d(x, 2), name.partition("_")[0]
            x = functional.relu(convolution(x))
            if name == _CONTENT or name in _STYLE:
                found[name] = x
        return found


class Painting:
    """One picture under way, with the loss of our preset ``gatys``."""

    def __init__(self, network: Vgg, setting: Setting, content: Any, style: Any) -> None:
        self._setting = setting
        self._network = network
        self._device = next(network.parameters()).device
        with torch.no_grad():
            self._content = network(self._cast(self._tensor(content)))[_CONTENT].float()
            seen = network(self._cast(self._tensor(style)))
            self._style = {name: _gram(seen[name]) for name in _STYLE}
        self._variance = self._content.var(dim=(2, 3)).mean()
        self.image = self._tensor(content).requires_grad_()
        fused = self._device.type == "cuda"  # the fastest there
        self._optimizer = torch.optim.Adam([self.image], lr=0.02, betas=(0.9, 0.99), fused=fused)
        mode = setting.compiled
        self._judge = self._loss if mode is None else torch.compile(self._loss, mode=mode)

    def step(self) -> float:
        """One step; the loss before it."""
        self._optimizer.zero_grad()
        loss: torch.Tensor = self._judge(self.image)
        loss.backward()
        self._optimizer.step()
        with torch.no_grad():
            self.image.clamp_(0, 1)
        return float(loss)

    def _loss(self, image: torch.Tensor) -> torch.Tensor:
        seen = self._network(self._cast(image))
        loss = functional.mse_loss(seen[_CONTENT].float(), self._content) / self._variance
        for name, weight in _STYLE.items():
            target = self._style[name]
            error = (_gram(seen[name]) - target).square().sum() / target.square().sum()
            loss = loss + _BALANCE * weight / sum(_STYLE.values()) * error
        return loss

    def _tensor(self, picture: Any) -> torch.Tensor:
        tensor = torch.tensor(picture.transpose(2, 0, 1)[np.newaxis].copy())
        return tensor.to(self._device, memory_format=self._setting.layout)

    def _cast(self, image: torch.Tensor) -> torch.Tensor:
        return (image - 0.5).to(self._setting.dtype)


def _gram(activations: torch.Tensor) -> torch.Tensor:
    """In the network's own numbers, and as they lie in memory, which is the fastest."""
    if activations.is_contiguous():  # channels first
        flat = activations[0].flatten(1)
        return (flat @ flat.T).float() / flat.shape[1]
    flat = activations[0].permute(1, 2, 0).flatten(0, 1)
    return (flat.T @ flat).float() / flat.shape[0]


def main() -> None:
    """Answers what it is asked on standard input until that ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("features", "content", "style"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    asked = parser.parse_args()
    features = dict(np.load(asked.features))
    pictures = np.load(asked.content), np.load(asked.style)
    settings = _at_hand(asked.device)
    said = f"{torch.__version__}, {torch.get_num_threads()} threads"
    print(json.dumps({"torch": said, "settings": list(settings)}), flush=True)
    begin = functools.lru_cache(len(settings))(
        lambda setting, size: _begun(features, settings[setting], pictures, size, asked.device)
    )
    for line in sys.stdin:
        question = json.loads(line)
        try:
            painting = begin(question["setting"], question["size"])
            answer: dict[str, Any] = {"seconds": list(_timed(painting.step, question["steps"]))}
        except RuntimeError as error:  # torch.compile without a compiler, for one
            answer = {"error": str(error).splitlines()[0]}
        print(json.dumps(answer), flush=True)


def _at_hand(device: str) -> dict[str, Setting]:
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")  # TF32, as ours; convolutions have it by default
        return CUDA_SETTINGS
    bfloat16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - there is no other word
    return {name: s for name, s in SETTINGS.items() if bfloat16 or s.dtype is not torch.bfloat16}


def _begun(
    features: Any, setting: Setting, pictures: tuple[Any, Any], size: int, device: str
) -> Painting:
    content, style = (_resized(picture, size) for picture in pictures)
    painting = Painting(Vgg(features, setting).to(device), setting, content, style)
    painting.step(), painting.step()
    return painting


def _timed(step: Callable[[], object], steps: int) -> Iterator[float]:
    for _ in range(steps):
        began = time.perf_counter()
        step()
        yield time.perf_counter() - began


def _resized(picture: Any, size: int) -> Any:
    tensor = torch.tensor(picture.transpose(2, 0, 1)[np.newaxis].copy())
    resized = functional.interpolate(tensor, (size, size), mode="area")
    return resized[0].numpy().transpose(1, 2, 0)


if __name__ == "__main__":
    main()
