"""/v1/styles: the style pictures that come with Atelier."""

import hashlib
from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel

from app.presets import PRESETS, Preset
from app.problems import Problem, ProblemError

router = APIRouter(
    prefix="/v1/styles",
    tags=["styles"],
    responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
)


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
            HTTPStatus.NOT_FOUND,
            "no-such-style",
            "No such style",
            f"There is no style of this name. There are: {', '.join(PRESETS)}.",
        )
    return PRESETS[name]


@router.get("")
def list_styles() -> Styles:
    """The style pictures that a job may ask for by name."""
    return Styles(styles=[Style.of(preset) for preset in PRESETS.values()])


@router.get("/{name}", response_class=Response)
def get_style(name: str) -> Response:
    """A style picture, a JPEG."""
    return _jpeg(_preset(name).picture)


@router.get("/{name}/thumbnail", response_class=Response)
def get_thumbnail(name: str) -> Response:
    """A style picture in small, a JPEG."""
    return _jpeg(_preset(name).thumbnail)


def _jpeg(picture: bytes) -> Response:
    tag = hashlib.sha256(picture).hexdigest()[:16]
    return Response(picture, media_type="image/jpeg", headers={"ETag": f'"{tag}"'})
