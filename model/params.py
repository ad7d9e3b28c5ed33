"""What a person may ask for: the one definition that API, worker and command line share."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from model.errors import ParameterError

MAX_STYLES = 8

#: What a preset asks for where the person did not say otherwise. Its layers and layer weights
#: are in ``model.recipes``. ``gatys`` is after the assignment of Stanford's CS 20 (Huyen 2017),
#: itself after Gatys et al. 2016: one scale, started from noise.
PRESETS: dict[str, dict[str, Any]] = {
    "gatys": {"init": "noise", "optimizer": "adam", "pooling": "average", "steps": 300},
}

Weight = Annotated[float, Field(ge=0.0, le=1000.0, allow_inf_nan=False)]


class StyleTransferParams(BaseModel):
    """How a photograph is to be painted. Frozen; a field that does not exist is refused.

    All weights are relative: 1.0 is the balance that Atelier was tuned for, 2.0 twice as much,
    and the same number means the same at every size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(512, ge=64, le=4096, description="Long side of the result in pixels.")
    quality: Literal["draft", "standard", "fine"] = Field(
        "standard", description="How much time to spend: scales and steps."
    )
    steps: int | None = Field(
        None, ge=1, le=5000, description="Optimisation steps over all scales; default by quality."
    )
    preset: Literal["gatys"] | None = Field(
        None, description="A published set of layers, layer weights and defaults."
    )
    content_weight: Weight = Field(1.0, description="Faithfulness to the photograph.")
    style_weight: Weight = Field(1.0, description="Strength of the style.")
    style_weights: tuple[Weight, ...] | None = Field(
        None,
        min_length=1,
        max_length=MAX_STYLES,
        description="Share of each style picture, in their order; equal when absent.",
    )
    style_scale: float = Field(
        1.0,
        ge=0.1,
        le=4.0,
        description="Size of the style's strokes relative to the style picture.",
    )
    tv_weight: Weight = Field(1.0, description="Smoothness: weight of the total variation.")
    preserve_color: Literal["none", "luminance", "histogram"] = Field(
        "none",
        description="Keep the photograph's colours: paint its lightness only (luminance), or "
        "recolour the style pictures first (histogram).",
    )
    init: Literal["content", "noise", "style"] = Field(
        "content", description="The picture that the optimisation starts from."
    )
    optimizer: Literal["adam", "lbfgs"] = Field("adam", description="The optimiser.")
    pooling: Literal["average", "max"] = Field("average", description="Pooling in VGG-19.")
    style_loss: Literal["gram", "wasserstein"] = Field(
        "gram",
        description="What makes a style: the Gram matrices of the layers, or the Gaussians with "
        "their means and covariances.",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of whatever is random.")
    format: Literal["png", "jpeg", "webp", "tiff"] = Field(
        "png", description="File format of the result."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, asked: Any) -> Any:
        if isinstance(asked, dict) and isinstance(asked.get("preset"), str):
            return PRESETS.get(asked["preset"], {}) | asked
        return asked

    @field_validator("style_weights", mode="before")
    @classmethod
    def _split_at_commas(cls, asked: Any) -> Any:
        """Takes ``2,1`` for two weights, as forms send it, and a blank for none."""
        if isinstance(asked, list) and all(isinstance(weight, str) for weight in asked):
            return [part for weight in asked for part in weight.split(",") if part.strip()] or None
        return asked

    @field_validator("style_weights")
    @classmethod
    def _some_style_has_weight(cls, asked: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if asked is not None and not any(asked):
            raise ValueError("One of the weights at least must be above 0")
        return asked

    def shares(self, styles: int) -> tuple[float, ...]:
        """The share of each style picture.

        Args:
            styles: number of style pictures, 1 to ``MAX_STYLES``.

        Returns:
            One share per picture, in their order, summing to 1.

        Raises:
            ParameterError: the number of pictures is out of range, or not that of the weights.
        """
        if not 1 <= styles <= MAX_STYLES:
            raise ParameterError(
                f"Between 1 and {MAX_STYLES} style pictures are needed. Received: {styles}.",
                field="style",
            )
        weights = self.style_weights or (1.0,) * styles
        if len(weights) != styles:
            raise ParameterError(
                "style_weights needs one weight for each style picture. "
                f"Received: {len(weights)} weights for {styles} pictures.",
                field="style_weights",
            )
        return tuple(weight / sum(weights) for weight in weights)
