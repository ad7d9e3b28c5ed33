"""From what was asked to how it is painted: layers, scales and steps. Free of TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.params import StyleTransferParams
from model.sizes import fit

#: Gatys et al. 2016, section 2.3: where style and content are read.
_STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")

#: The shallow layers hold colours and strokes. With the bundled features, more weight on the deep
#: ones loses both of the style and of the content. Crowson's style-transfer-pytorch goes further,
#: 256 to 1.
_STYLE_WEIGHTS = (3.0, 2.0, 1.0, 0.5, 0.25)

_PAPERS_CONTENT_LAYER = "block4_conv2"

#: Less deep than in the paper: it keeps more of what is where, at about the same strength of the
#: style (measured with the bundled features: see docs/method.md).
_CONTENT_LAYER = "block3_conv2"

#: What is held of the picture seen from afar, in the units of the layers' weights: the edges of the
#: photograph and, in its shallow layers, the style's large forms (see docs/method.md).
_EDGES_AFAR = 0.25
_STYLE_AFAR = {"block1_conv1": 0.12, "block2_conv1": 0.08}

#: From how far: so many pixels of the picture are one of the view.
EDGES_STRIDE, STYLE_STRIDE = 4, 8

#: The coarsest scale's long side in pixels, at least: below it the deep layers see a handful of
#: positions. All sizes begin about there, so that all have the same large forms.
_COARSEST = 128

#: Above this long side a scale has fewer steps, in proportion: what comes from the scale before is
#: nearly finished, and a step costs with the square of the side.
_FULL_STEPS_UP_TO = 512


@dataclass(frozen=True)
class Quality:
    """How much time a quality level spends.

    Attributes:
        first_steps: optimisation steps on the coarsest scale, where the composition is found.
        steps: optimisation steps on each further scale, as long as these are not large.
    """

    first_steps: int
    steps: int


QUALITIES: Mapping[str, Quality] = {
    "draft": Quality(first_steps=80, steps=40),
    "standard": Quality(first_steps=150, steps=100),
    "fine": Quality(first_steps=300, steps=250),
}


@dataclass(frozen=True)
class Layers:
    """Where content and style are read, each layer with its weight.

    Attributes:
        content: layers of the content, below those of ``vgg.SHALLOW``; their weights sum to 1.
        style: layers of the style; likewise.
        style_afar: layers of the style that see the picture from afar as well; none, and then no
            edges either, where it is seen from near alone.
        edges_afar: weight of the photograph's edges, beside that of the content layers.
    """

    content: Mapping[str, float]
    style: Mapping[str, float]
    style_afar: Mapping[str, float] = field(default_factory=dict)
    edges_afar: float = 0.0


@dataclass(frozen=True)
class Scale:
    """One size at which the picture is optimised, in pixels, and for how many steps."""

    width: int
    height: int
    steps: int

    @property
    def pixels(self) -> int:
        """What a step costs is proportional to this."""
        return self.width * self.height

    @property
    def work(self) -> int:
        """What the scale costs, in pixel-steps."""
        return self.pixels * self.steps


def layers(params: StyleTransferParams) -> Layers:
    """The layers of a request: the preset's, or those of our own recipe."""
    if params.preset == "gatys":
        return Layers({_PAPERS_CONTENT_LAYER: 1.0}, _normalised((0.5, 1.0, 1.5, 3.0, 4.0)))
    return Layers({_CONTENT_LAYER: 1.0}, _normalised(_STYLE_WEIGHTS), _STYLE_AFAR, _EDGES_AFAR)


def _normalised(weights: tuple[float, ...]) -> dict[str, float]:
    return {
        name: weight / sum(weights) for name, weight in zip(_STYLE_LAYERS, weights, strict=True)
    }


def scales(params: StyleTransferParams, width: int, height: int) -> tuple[Scale, ...]:
    """The sizes at which a content picture is painted, coarse to fine, each sqrt(2) times the last.

    Args:
        params: what was asked for.
        width: of the content picture, in pixels.
        height: of the content picture, in pixels.

    Returns:
        At least one scale; the last has the size of the result.
    """
    sizes = [params.size]
    while params.preset is None and (smaller := round(sizes[0] / 2**0.5)) >= _COARSEST:
        sizes.insert(0, smaller)
    quality = QUALITIES[params.quality]
    steps = [quality.first_steps, *(_steps(quality, size) for size in sizes[1:])]
    if params.steps is not None:
        steps = _share_out(params.steps, steps)
    return tuple(
        Scale(*fit(width, height, size), count)
        for size, count in zip(sizes, steps, strict=True)
        if count
    )


def _steps(quality: Quality, size: int) -> int:
    return round(quality.steps * min(1.0, _FULL_STEPS_UP_TO / size))


def _share_out(total: int, shares: list[int]) -> list[int]:
    """Splits ``total`` in the proportion of ``shares``; the finest scale always gets a step."""
    ends = [round(total * sum(shares[: i + 1]) / sum(shares)) for i in range(len(shares))]
    steps = [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    if not steps[-1]:
        donor = max(range(len(steps)), key=steps.__getitem__)
        steps[donor], steps[-1] = steps[donor] - 1, 1
    return steps
