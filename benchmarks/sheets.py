"""What the judge found, to look at: contact sheets and the frontier."""

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks.report import Row, by_painter
from benchmarks.subjects import Subject

Array = npt.NDArray[np.float32]

#: The goal of `standard`: percent of the style distance removed, and content correlation.
GOAL = (85.0, 0.65)

#: Of a contact sheet, in pixels.
_CELL = 224
_GAP = 8
_LABEL = 20
_PITCH = _CELL + _GAP, _CELL + _GAP + _LABEL


def contact_sheet(
    contents: Sequence[Subject],
    styles: Sequence[Subject],
    paintings: Mapping[tuple[str, str], Array],
    title: str,
) -> Image.Image:
    """All paintings of one painter: a row for each content picture, a column for each style.

    The content pictures are at the left and the styles at the top.

    Args:
        contents: of the rows.
        styles: of the columns.
        paintings: colours in [0, 1] by the names of content and style; some may be missing.
        title: in the corner.
    """
    size = (len(styles) + 1) * _PITCH[0] + _GAP, (len(contents) + 1) * _PITCH[1] + _GAP
    sheet = Image.new("RGB", size, "white")
    _write(sheet, (0, 0), "\n".join(textwrap.wrap(title, width=28)))
    for column, style in enumerate(styles, 1):
        _hang(sheet, (column, 0), style.rgb, style.name)
    for row, content in enumerate(contents, 1):
        _hang(sheet, (0, row), content.rgb, content.name)
        for column, style in enumerate(styles, 1):
            painting = paintings.get((content.name, style.name))
            if painting is not None:
                _hang(sheet, (column, row), painting)
    return sheet


def _hang(sheet: Image.Image, place: tuple[int, int], rgb: Array, label: str = "") -> None:
    """Puts a picture into the middle of its cell, its name below it."""
    image = Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))
    image = ImageOps.contain(image, (_CELL, _CELL), Image.Resampling.LANCZOS)
    left, top = (_GAP + at * pitch for at, pitch in zip(place, _PITCH, strict=True))
    sheet.paste(image, (left + (_CELL - image.width) // 2, top + (_CELL - image.height) // 2))
    if label:
        _write(sheet, place, label, below=_CELL)


def _write(sheet: Image.Image, place: tuple[int, int], text: str, below: int = 0) -> None:
    left, top = (_GAP + at * pitch for at, pitch in zip(place, _PITCH, strict=True))
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(sheet).text((left, top + below), text, fill="black", font=font)


def frontier(rows: Sequence[Row], file: Path) -> None:
    """Plots style removed against content correlation: up and to the right is better.

    A small point for each painting, a large one for each painter's mean.
    """
    figure = Figure(figsize=(9, 6), dpi=120, layout="constrained")
    axes = figure.add_subplot(
        xlabel="content correlation", ylabel="style distance removed, percent"
    )
    axes.axhline(GOAL[0], color="0.8", zorder=0)
    axes.axvline(GOAL[1], color="0.8", zorder=0)
    for number, (painter, theirs) in enumerate(by_painter(rows).items()):
        correlation = [row.correlation for row in theirs]
        removed = [row.verdict.removed for row in theirs]
        colour = f"C{number}"
        axes.scatter(correlation, removed, s=8, color=colour, alpha=0.4, linewidths=0)
        mean = statistics.mean(correlation), statistics.mean(removed)
        axes.scatter(*mean, s=120, color=colour, edgecolors="black", zorder=3, label=painter)
    # Beneath the axes: it would hide points inside them.
    figure.legend(loc="outside lower center", frameon=False)
    figure.savefig(file)
