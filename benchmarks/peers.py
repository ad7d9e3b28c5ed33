"""PyTorch's neural-style 0.5.7, which lives in an environment of its own."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import easel
from benchmarks.easel import Easel, Work
from benchmarks.painters import Painter, file_name, sitting
from benchmarks.source import fingerprint
from benchmarks.subjects import Pair
from model import formats
from model.vgg import Features

#: Runs in the environment of its own.
DRIVER = Path(__file__).with_name("neural_style_driver.py")


@dataclass(frozen=True)
class NeuralStyle:
    """neural-style with the same features as ours.

    Attributes:
        python: the interpreter of its environment.
        options: neural-style's own.
        features: loaded into its network.
        device: ``cpu`` or ``gpu:N``.
        size: long side of the paintings in pixels.
        kept: where they are kept.
        span: how long it paints: as long as this painter painted the pair, or so many iterations.
    """

    python: Path
    options: tuple[str, ...]
    features: Features
    device: str
    size: int
    kept: Easel
    span: Painter | int

    @property
    def name(self) -> str:
        """What the table calls it."""
        options = " ".join(self.options) or "its defaults"
        return f"neural-style, {self.features.name}, {self._span}, {options}"

    @property
    def _span(self) -> str:
        if isinstance(self.span, int):
            return f"{self.span} iterations"
        return f"as long as {self.span.name.split(',')[0]}"

    def paint(self, pair: Pair) -> Work:
        """The painting of a pair."""
        seated = sitting(pair, self.size)
        means = {
            "features": self.features.sha256,
            "code": fingerprint("benchmarks.neural_style_driver"),
            "options": " ".join(self.options),
            "device": self.device,
            "sitting": seated.fingerprint,
        }
        pictures = {"content": seated.content, "style": seated.styles[0]}
        return self.kept.painted(file_name(self, pair), means, lambda: self._work(pair, pictures))

    def _work(self, pair: Pair, pictures: Mapping[str, easel.Array]) -> Work:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for role, rgb in pictures.items():
                easel.write(rgb, folder / f"{role}.png")
            formats.save(self.features, folder / "features.npz")
            facts = last_line(self._command(folder, pair))
            rgb = easel.read(folder / "output.png")
        return Work(rgb, facts["seconds"], int(facts["iterations"]))

    def _command(self, folder: Path, pair: Pair) -> list[str]:
        names = ("content.png", "style.png", "output.png", "features.npz")
        files = [f"--{Path(name).stem}={folder / name}" for name in names]
        gpu = "c" if self.device == "cpu" else self.device.removeprefix("gpu:")
        span = (
            f"--iterations={self.span}"
            if isinstance(self.span, int)
            else f"--seconds={self.span.paint(pair).seconds}"
        )
        command = [str(self.python), str(DRIVER), *files, span, f"--gpu={gpu}"]
        return [*command, f"--size={self.size}", "--", *self.options]


def last_line(command: Sequence[str]) -> Mapping[str, Any]:
    """What a command says at its end, in JSON.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-5:])
        raise RuntimeError(f"{Path(command[1]).stem} gave up. Received:\n{tail}")
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
