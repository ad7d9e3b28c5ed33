"""Renders the sample photographs of the page from those that come with scikit-image.

    python -m scripts.samples

The pavilion is there as it came. Who took them, and under which terms, is in the folder's README.
"""

from pathlib import Path

import skimage.data
from PIL import Image

FOLDER = Path(__file__).parents[1] / "app" / "page" / "samples"

#: Long side of a thumbnail in pixels: sharp at half that width on a screen of two dots a pixel.
SIDE = 192


def main() -> None:
    """Writes the photographs and the thumbnails of all."""
    for name, pixels in {"cat": skimage.data.chelsea(), "coffee": skimage.data.coffee()}.items():
        Image.fromarray(pixels).save(FOLDER / f"{name}.jpg", quality=92, optimize=True)
    for path in sorted(FOLDER.glob("*.jpg")):
        if not path.stem.endswith("-small"):
            with Image.open(path) as image:
                image.thumbnail((SIDE, SIDE))
                image.save(path.with_stem(f"{path.stem}-small"), quality=82, optimize=True)


if __name__ == "__main__":
    main()
