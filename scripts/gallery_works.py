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
        params: as in ``StyleTransferParams``; ``size`` is 384 where it is not among them.
        masked: whether the flower, as ``content_mask``, takes the first style and the rest the
            second.
        without: a part of the method that is left out, for comparison.
        detail: whether a piece is shown at full size instead of the whole picture.
    """

    name: str
    caption: str
    content: str
    styles: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    masked: bool = False
    without: str | None = None
    detail: bool = False


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
        "The same at every size, from one set of parameters; `draft`, and the largest with fewer "
        "steps.",
        (
            *_series(
                "size",
                "china",
                ("starlight",),
                {f"{size} px": {"size": size, "quality": "draft"} for size in (256, 512, 1024)},
            ),
            Work(
                "size-4096",
                "4096 px, 120 steps",
                "china",
                ("starlight",),
                {"size": 4096, "quality": "draft", "steps": 120},
            ),
            Work(
                "size-4096-detail",
                "a piece of it, pixel by pixel",
                "china",
                ("starlight",),
                {"size": 4096, "quality": "draft", "steps": 120},
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
            {mode: {"preserve_color": mode} for mode in ("none", "luminance", "histogram")},
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
                f"{first} : {second}": {"style_weights": (first, second)}
                for first, second in ((4, 0), (3, 1), (1, 1), (1, 3), (0, 4))
            },
        ),
    ),
    Section(
        "Size of the strokes",
        "`style_scale`.",
        _series(
            "scale",
            "astronaut",
            ("starlight",),
            {str(scale): {"style_scale": scale} for scale in (0.5, 1.0, 2.0)},
        ),
    ),
    Section(
        "Style against content",
        "`style_weight`.",
        _series(
            "weight",
            "astronaut",
            ("waves",),
            {str(weight): {"style_weight": weight} for weight in (0.2, 1.0, 5.0)},
        ),
    ),
    Section(
        "What makes a style",
        "`style_loss`.",
        _series(
            "loss",
            "china",
            ("impasto",),
            {loss: {"style_loss": loss} for loss in ("gram", "wasserstein")},
        ),
    ),
)


def _without(part: str, caption: str, **params: Any) -> Work:
    return Work(f"without-{part}", caption, "china", ("starlight",), params, without=part)


#: For the page on the method: as it is, and with one part after another left out.
DEPARTURES = (
    Work("as-it-is", "as it is", "china", ("starlight",)),
    Work("from-noise", "started from noise", "china", ("starlight",), {"init": "noise"}),
    _without("colours", "started from the photograph's own colours"),
    _without("scales", "one size only, with as many steps"),
    _without("average", "the last iterate instead of the average"),
    _without("extension", "not extended at the borders"),
    Work("lbfgs", "L-BFGS", "china", ("starlight",), {"optimizer": "lbfgs"}),
    Work("rough", "no total variation", "china", ("starlight",), {"tv_weight": 0.0}),
    _without("bfloat16", "float32 throughout"),
)
