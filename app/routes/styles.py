"""/v1/styles: the style pictures that come with Atelier."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app import conditional, kinds
from app.answers import media, problems
from app.presets import PRESETS, Preset
from app.problems import ProblemError

router = APIRouter(
    prefix="/v1/styles",
    tags=["styles"],
)

_JPEG = {
    **conditional.responses("image/jpeg", **media("image/jpeg")),
    **problems(kinds.NO_SUCH_STYLE),
}


class StyleUrls(BaseModel):
    """Where its pictures are, JPEGs."""

    picture: str
    thumbnail: str


class Style(BaseModel):
    """A style picture of ours: ``name`` is what ``style_preset`` takes. Sizes are in pixels."""

    name: str
    description: str
    width: int
    height: int
    urls: StyleUrls

    @classmethod
    def of(cls, preset: Preset) -> "Style":
        """The preset with its addresses."""
        base = f"/v1/styles/{preset.name}"
        width, height = preset.size
        urls = StyleUrls(picture=base, thumbnail=f"{base}/thumbnail")
        return cls(
            name=preset.name,
            description=preset.description,
            width=width,
            height=height,
            urls=urls,
        )


class Styles(BaseModel):
    """All of them, by name."""

    styles: list[Style]


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ProblemError(
            kinds.NO_SUCH_STYLE,
            f"There is no style of this name. There are: {', '.join(PRESETS)}.",
        )
    return PRESETS[name]


@router.get("")
def list_styles() -> Styles:
    """The style pictures that a job may ask for by name."""
    return Styles(styles=[Style.of(preset) for preset in PRESETS.values()])


@router.get(
    "/{name}", response_class=Response, responses=_JPEG, openapi_extra=conditional.PARAMETERS
)
def get_style(name: str, request: Request) -> Response:
    """A style picture, a JPEG."""
    return conditional.answer(request, _preset(name).picture, "image/jpeg")


@router.get(
    "/{name}/thumbnail",
    response_class=Response,
    responses=_JPEG,
    openapi_extra=conditional.PARAMETERS,
)
def get_thumbnail(name: str, request: Request) -> Response:
    """A style picture in small, a JPEG."""
    return conditional.answer(request, _preset(name).thumbnail, "image/jpeg")
