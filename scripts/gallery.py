"""Paints the gallery and writes docs/gallery.md: ``.venv/bin/python -m scripts.gallery``.

What was painted already is not painted again; delete its picture to have it painted anew. The
photographs come with scikit-image and scikit-learn, the styles are the project's own.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import scipy.ndimage  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.subjects import contents  # noqa: E402
from model import graphs, images, recipes, vgg, weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.precision import Precision  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from scripts.gallery_works import DEPARTURES, GALLERY, Section, Work  # noqa: E402

Array = npt.NDArray[np.float32]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STYLES = ROOT / "app" / "presets"
PICTURES = DOCS / "gallery"

#: Long side of the pictures in the page, in pixels.
SHOWN = 640


def main() -> None:
    """Paints what is missing, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="paint nothing whose name does not begin so")
    arguments = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    device = open_devices("auto")[0]
    features = weights.load("bundled", PICTURES)
    painter = Painter(features, device)
    for work in (*(work for section in GALLERY for work in section.works), *DEPARTURES):
        if work.name.startswith(arguments.only or ""):
            painter.paint(work)
    (DOCS / "gallery.md").write_text(page(GALLERY, painter.seconds), encoding="utf-8")


class Painter:
    """Paints works into ``docs/gallery`` and remembers how long each took."""

    def __init__(self, features: vgg.Features, device: str) -> None:
        self._features = features
        self._device = device
        self._usual = Studio(features, device=device)
        self._photographs = {subject.name: subject.rgb for subject in contents(None)}
        self._record = PICTURES / "seconds.json"
        self.seconds: dict[str, float] = {}
        if self._record.exists():
            self.seconds = json.loads(self._record.read_text(encoding="utf-8"))

    def paint(self, work: Work) -> None:
        """Paints a work, if its picture is not there."""
        file = PICTURES / f"{work.name}.jpg"
        if file.exists() and work.name in self.seconds:
            return
        started = time.monotonic()
        with left_out(work.without):
            run = self._studio(work.without).begin(self._sitting(work))
            while not run.done:
                run.advance(8)
            picture = last_iterate(run) if work.without == "average" else run.picture()
        self.seconds[work.name] = round(time.monotonic() - started, 1)
        file.write_bytes(images.encode(shown(picture), "jpeg"))
        if work.detail:
            detail = PICTURES / f"{work.name}-detail.jpg"
            detail.write_bytes(images.encode(middle(picture), "jpeg"))
        self._record.write_text(json.dumps(self.seconds, indent=1) + "\n", encoding="utf-8")
        print(work.name, self.seconds[work.name], flush=True)

    def _studio(self, without: str | None) -> Studio:
        """A studio keeps its graphs: one whose parts are replaced is used once."""
        if without is None:
            return self._usual
        precision: Precision = "float32" if without == "bfloat16" else "auto"
        return Studio(self._features, device=self._device, precision=precision)

    def _sitting(self, work: Work) -> Sitting:
        content = self._photographs[work.content]
        styles = [images.decode((STYLES / f"{s}.jpg").read_bytes()).rgb for s in work.styles]
        params = StyleTransferParams.model_validate({"size": 256, **work.params})
        if not work.masked:
            return Sitting.prepare(content, styles, params)
        white, black = (
            np.full_like(style, level) for style, level in zip(styles, (1, 0), strict=True)
        )
        mask = np.repeat(flower(content)[..., np.newaxis], 3, axis=2).astype(np.float32)
        return Sitting.prepare(
            content, styles, params, content_mask=mask, style_masks=(white, black)
        )


def flower(photograph: Array) -> npt.NDArray[np.bool_]:
    """Where the flower is: the largest connected part that is redder than green, without holes."""
    red = photograph[..., 0] > photograph[..., 1] + 0.03
    labels, _ = scipy.ndimage.label(scipy.ndimage.binary_opening(red, iterations=2))
    largest = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    closed = scipy.ndimage.binary_closing(largest, iterations=6)
    return np.asarray(scipy.ndimage.binary_fill_holes(closed))


def shown(picture: Array) -> Array:
    """A picture no larger than the page shows it."""
    height, width = picture.shape[:2]
    if max(height, width) <= SHOWN:
        return picture
    return images.resize(picture, *images.fit(width, height, SHOWN))


def middle(picture: Array) -> Array:
    """As much of a picture as the page shows, pixel for pixel."""
    height, width = 2 * SHOWN // 3, SHOWN
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def last_iterate(run: Run) -> Array:
    """The picture where the optimisation stands, without any average."""
    return np.asarray(run._now.share.state.image[0])  # noqa: SLF001 - what the comparison is about


@contextmanager
def left_out(part: str | None) -> Iterator[None]:
    """Leaves a part of the method out, for comparison."""
    patches: dict[str, Callable[[], AbstractContextManager[object]]] = {
        "colours": lambda: mock.patch.object(Sitting, "_in_the_styles_colours", lambda _, x: x),
        "afar": lambda: mock.patch.object(recipes, "_STYLE_AFAR", {}),
        "scales": lambda: mock.patch.object(recipes, "scales", one_scale),
        "content": lambda: mock.patch.object(recipes, "_CONTENT_LAYER", "block4_conv2"),
        "extension": without_extension,
    }
    if part not in patches:
        yield
        return
    with patches[part]():
        yield


def one_scale(params: StyleTransferParams, width: int, height: int) -> tuple[recipes.Scale, ...]:
    """The last scale alone, with the steps of all."""
    usual = SCALES(params, width, height)
    return (recipes.Scale(width, height, sum(scale.steps for scale in usual)),)


SCALES = recipes.scales


@contextmanager
def without_extension() -> Iterator[None]:
    """Nothing beyond the picture, where layers then end sooner than its tiles."""

    def as_far_as_it_goes(activations: tf.Tensor, box: tf.Tensor) -> tf.Tensor:
        top, left, bottom, right = tf.unstack(box)
        return activations[:, top:bottom, left:right]

    with (
        mock.patch.object(vgg, "_extended", with_zeros),
        mock.patch.object(graphs, "_cut", as_far_as_it_goes),
    ):
        yield


def with_zeros(image: tf.Tensor) -> tf.Tensor:
    """What the network sees without the extension: zeros around the picture, and no more."""
    height, width = tf.shape(image)[1] // 16 * 16, tf.shape(image)[2] // 16 * 16
    return tf.pad(image[:, :height, :width], [[0, 0], [1, 1], [1, 1], [0, 0]])


def page(sections: tuple[Section, ...], seconds: dict[str, float]) -> str:
    """The gallery in Markdown."""
    lines = [
        "# Gallery",
        "",
        "Made by `python -m scripts.gallery` with the bundled features; the times are those of a",
        "machine with two cores (AVX-512 with bfloat16) and no GPU that did other things as well:",
        "up to twice as long as on a quiet one. Photographs: astronaut (NASA,",
        "public domain), chelsea (Stéfan van der Walt, CC0), coffee (Rachel Michetti, CC0), rocket",
        "(SpaceX, CC0), china (danielbuechele, CC BY 2.0), flower (vultilion, CC BY 2.0), as they",
        "come with scikit-image and scikit-learn. The styles are rendered by `scripts/styles`.",
    ]
    if (PICTURES / "sheet.jpg").exists():  # a contact sheet of `make bench-pictures`
        lines += ["", "![six photographs in six styles](gallery/sheet.jpg)"]
    for section in sections:
        lines += ["", f"## {section.heading}", "", section.text, "", *table(section, seconds)]
    return "\n".join(lines) + "\n"


def table(section: Section, seconds: dict[str, float]) -> list[str]:
    """The works of a section side by side."""
    views = {name: view for work in section.works for name, view in work.views.items()}
    captions = [
        f"{view}, {seconds[name]:.0f} s" if name in seconds else view
        for name, view in views.items()
    ]
    pictures = [f"![{view}](gallery/{name}.jpg)" for name, view in views.items()]
    rule = ["---"] * len(captions)
    return [f"| {' | '.join(cells)} |" for cells in (captions, rule, pictures)]


if __name__ == "__main__":
    main()
