"""Renders the style pictures: ``python -m scripts.styles --output app/presets``."""

import argparse
from pathlib import Path

from PIL import Image

from scripts.styles.catalogue import STYLES, render

SIDE = 1024  # of the pictures that are kept
QUALITY = 86


def main() -> None:
    """Renders all styles, or only some."""
    parser = argparse.ArgumentParser(prog="python -m scripts.styles", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("app/presets"), help="a folder")
    parser.add_argument("--only", default=",".join(STYLES), help="names with commas between")
    parser.add_argument("--side", type=int, default=SIDE, help="the long side in pixels")
    parser.add_argument("--seed", type=int, help="another picture of the same kind")
    arguments = parser.parse_args()
    names = [name.strip() for name in arguments.only.split(",")]
    if unknown := [name for name in names if name not in STYLES]:
        parser.error(f"The styles are {', '.join(STYLES)}. Received: {', '.join(unknown)}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = arguments.output / f"{name}.jpg"
        picture = Image.fromarray(render(name, arguments.side, arguments.seed))
        picture.save(path, quality=QUALITY, subsampling="4:4:4", optimize=True)
        print(f"{path}: {picture.width}x{picture.height}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
