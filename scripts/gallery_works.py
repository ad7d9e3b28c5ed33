"""What hangs in the gallery: sections of works, each a painting to be made."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Work:
    """A painting.

    Attributes:
        name: of its file.
        caption: for people; the time it took is added to it.
        content: name of a photograph.
        styles: names of style pictures.
        params: as in ``StyleTransferParams``; ``size`` is 256 where it is not among them.
        masked: whether the flower, as ``content_mask``, takes the first style and the rest the
            second.
        without: a part of the method that is left out, for comparison.
        detail: whether its middle is shown as well, pixel for pixel.
    """

    name: str
    caption: str
    content: str
    styles: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    masked: bool = False
    without: str | None = None
    detail: bool = False

    @property
    def views(self) -> dict[str, str]:
        """Captions of its pictures by the names of their files."""
        whole = {self.name: self.caption}
        detail = {f"{self.name}-detail": "its middle, pixel for pixel"}
        return whole | detail if self.detail else whole


@dataclass(frozen=True)
class Section:
    """Works side by side, under a heading and a sentence or two."""

    heading: str
    text: str
    works: tuple[Work, ...]


def _series(
    prefix: str, content: str, styles: tuple[str, ...], variants: dict[str, dict[str, Any]]
) -> tuple[Work, ...]:
    """The same pictures painted in several ways; the captions are the keys."""
    names = (f"{prefix}-{number}" for number in range(1, len(variants) + 1))
    return tuple(
        Work(name, caption, content, styles, params)
        for name, (caption, params) in zip(names, variants.items(), strict=True)
    )


GALLERY = (
    Section(
        "Quality levels",
        "`quality` says how much time to spend.",
        _series(
            "quality",
            "chelsea",
            ("impasto",),
            {level: {"quality": level} for level in ("draft", "standard", "fine")},
        ),
    ),
    Section(
        "Sizes",
        "One set of parameters for every size: all begin at about 128 pixels, so the large forms "
        "are the same. `draft`.",
        _series(
            "size",
            "china",
            ("starlight",),
            {f"{size} px": {"size": size, "quality": "draft"} for size in (256, 512, 1024)},
        ),
    ),
    Section(
        "4096 pixels",
        "Painted in tiles of which nothing is to be seen. `draft`.",
        (
            Work(
                "large",
                "4096 px",
                "china",
                ("starlight",),
                {"size": 4096, "quality": "draft"},
                detail=True,
            ),
        ),
    ),
    Section(
        "Colour",
        "`preserve_color`: the style's colours; the photograph's, under the painted lightness; the "
        "style recoloured before it is taken.",
        _series(
            "colour",
            "coffee",
            ("marbling",),
            {
                mode: {"preserve_color": mode, "quality": "draft"}
                for mode in ("none", "luminance", "histogram")
            },
        ),
    ),
    Section(
        "Regions",
        "`content_mask` and `style_mask`: the flower takes its style from one picture, everything "
        "else from another.",
        (
            Work("regions-1", "mosaic and starlight, blended", "flower", ("mosaic", "starlight")),
            Work("regions-2", "by region", "flower", ("mosaic", "starlight"), masked=True),
        ),
    ),
    Section(
        "Blends",
        "`style_weights`, from all of one style to all of the other.",
        _series(
            "blend",
            "rocket",
            ("aurora", "papercut"),
            {
                f"{first} : {second}": {"style_weights": (first, second), "quality": "draft"}
                for first, second in ((4, 0), (1, 1), (0, 4))
            },
        ),
    ),
    Section(
        "Size of the strokes",
        "`style_scale`.",
        _series(
            "scale",
            "rocket",
            ("starlight",),
            {str(scale): {"style_scale": scale, "quality": "draft"} for scale in (0.5, 1.0, 2.0)},
        ),
    ),
    Section(
        "What makes a style",
        "`style_loss`.",
        _series(
            "loss",
            "china",
            ("impasto",),
            {loss: {"style_loss": loss, "quality": "draft"} for loss in ("gram", "wasserstein")},
        ),
    ),
)


def _departure(name: str, caption: str, without: str | None = None, **params: Any) -> Work:
    asked = {"quality": "draft", **params}
    return Work(name, caption, "china", ("impasto",), asked, without=without)


#: For the page on the method: as it is, and with one part after another left out.
DEPARTURES = (
    _departure("as-it-is", "as it is"),
    _departure("from-noise", "started from noise", init="noise"),
    _departure("without-colours", "in the photograph's own colours", "colours"),
    _departure("without-afar", "seen from near alone", "afar"),
    _departure("without-scales", "one size only, with as many steps", "scales"),
    _departure("without-average", "the last iterate instead of the average", "average"),
    _departure("without-extension", "not extended at the borders", "extension"),
    _departure("deeper-content", "content at `block4_conv2`", "content"),
    _departure("lbfgs", "L-BFGS", optimizer="lbfgs"),
    _departure("without-bfloat16", "float32 throughout", "bfloat16"),
)
