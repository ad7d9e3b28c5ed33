"""A folder of painted pictures: what was painted once, by the same means, is not painted again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Work:
    """A finished painting.

    Attributes:
        rgb: in [0, 1], shape [height, width, 3].
        seconds: that painting it took.
        steps: of the optimisation.
    """

    rgb: Array
    seconds: float
    steps: int


class Easel:
    """Keeps each painting as a PNG, and beside it in JSON what it took."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def painted(self, name: str, means: Mapping[str, str], paint: Callable[[], Work]) -> Work:
        """The painting of this name by these means, which is painted if it is not there.

        Args:
            name: for people; it begins the file's name.
            means: all that makes the picture what it is; their hash ends the file's name.
            paint: paints it.
        """
        png = self._folder / f"{name}-{_hash(means)}.png"
        if not png.with_suffix(".json").exists():
            self._keep(png, paint(), means)
        facts = json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))
        # Read back also when it was just painted: what is judged is what people see.
        return Work(read(png), facts["seconds"], facts["steps"])

    def _keep(self, png: Path, work: Work, means: Mapping[str, str]) -> None:
        write(work.rgb, png)
        facts = {key: value for key, value in asdict(work).items() if key != "rgb"}
        part = png.with_suffix(".part")
        part.write_text(json.dumps(facts | {"means": dict(means)}, indent=1), encoding="utf-8")
        part.replace(png.with_suffix(".json"))  # last: it says that the picture is whole


def read(file: Path) -> Array:
    """The colours of a PNG."""
    return np.asarray(Image.open(file).convert("RGB"), np.float32) / np.float32(255)


def write(rgb: Array, file: Path) -> None:
    """Writes colours as a PNG of 8 bits."""
    Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)).save(file)


def _hash(means: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(means, sort_keys=True).encode()).hexdigest()[:12]
