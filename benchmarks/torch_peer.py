"""PyTorch, which lives in an environment of its own, taking the same steps as ours."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from model import formats
from model.vgg import Features

_DRIVER = Path(__file__).with_name("torch_driver.py")

Array = npt.NDArray[np.float32]


class TorchPeer:
    """A PyTorch that waits to be asked for steps, from entering to leaving the context.

    Args:
        python: the interpreter of its environment.
        features: loaded into its network.
        pictures: content and style, float32 RGB in [0, 1], [height, width, 3].
        device: ``cpu`` or ``cuda``.

    Attributes:
        version: of PyTorch, once it is there.
        settings: how it may compute on this device, as the driver names it.
    """

    def __init__(
        self, python: Path, features: Features, pictures: tuple[Array, Array], device: str
    ) -> None:
        self._python = python
        self._features = features
        self._pictures = pictures
        self._device = device

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        formats.save(self._features, folder / "features.npz")
        for name, picture in zip(("content", "style"), self._pictures, strict=True):
            np.save(folder / f"{name}.npy", picture)
        files = [f"--{file.stem}={file}" for file in folder.iterdir()]
        command = [str(self._python), str(_DRIVER), *files, f"--device={self._device}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        said = self._line()
        self.version, self.settings = said["torch"], said["settings"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._folder.cleanup()

    def steps(self, setting: str, size: int) -> Callable[[int], list[float]]:
        """Takes so many steps in one of ``settings``, at a size in pixels; how long each took.

        The callable raises RuntimeError where PyTorch cannot.
        """

        def take(steps: int) -> list[float]:
            answer = self._ask({"setting": setting, "size": size, "steps": steps})
            if "error" in answer:
                raise RuntimeError(f"PyTorch gave up. Received: {answer['error']}")
            seconds: list[float] = answer["seconds"]
            return seconds

        return take

    def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._process.stdin is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        return self._line()

    def _line(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"PyTorch ended. Received: exit code {self._process.wait(60)}")
        found: Mapping[str, Any] = json.loads(line)
        return found
