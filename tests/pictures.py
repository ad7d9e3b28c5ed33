"""Pictures for the tests, drawn on the spot."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def photograph(width: int, height: int, file_format: str = "JPEG") -> bytes:
    """A sky, a hill and a house: smooth areas and edges, as a photograph has them."""
    image = Image.linear_gradient("L").resize((width, height))
    image = Image.merge(
        "RGB", (image, image.point(lambda v: 255 - v // 2), image.point(lambda v: 255 - v))
    )
    draw = ImageDraw.Draw(image)
    draw.ellipse((-width // 4, height // 2, width, height * 3 // 2), fill=(60, 120, 50))
    draw.rectangle((width // 2, height // 3, width * 3 // 4, height * 3 // 4), fill=(190, 170, 150))
    draw.polygon(
        [(width // 2, height // 3), (width * 5 // 8, height // 8), (width * 3 // 4, height // 3)],
        fill=(150, 50, 40),
    )
    return _file(image.filter(ImageFilter.SMOOTH), file_format)


def style_picture(width: int, height: int, file_format: str = "PNG") -> bytes:
    """Strokes at random in blue and yellow, the same each time."""
    rng = np.random.default_rng(7)
    image = Image.new("RGB", (width, height), (30, 50, 130))
    draw = ImageDraw.Draw(image)
    colours = [(240, 200, 60), (80, 130, 220), (20, 30, 80), (230, 230, 180)]
    for _ in range(width * height // 20):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        dx, dy = int(rng.integers(3, 12)), int(rng.integers(-6, 6))
        draw.line((x, y, x + dx, y + dy), fill=colours[rng.integers(len(colours))], width=2)
    return _file(image, file_format)


def halves(width: int, height: int, left: str, right: str, file_format: str = "PNG") -> bytes:
    """A mask of two regions, or any picture of two plain colours side by side."""
    image = Image.new("RGB", (width, height), left)
    image.paste(Image.new("RGB", image.size, right), (width // 2, 0))
    return _file(image, file_format)


def _file(image: Image.Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()
