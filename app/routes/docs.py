"""/docs: the HTTP interface for people, without a script from elsewhere."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

_PAGE = Path(__file__).parents[1] / "page" / "docs.html"

router = APIRouter(include_in_schema=False)


@router.get("/docs", response_class=FileResponse)
async def docs() -> FileResponse:
    """The page that shows ``/openapi.json``."""
    return FileResponse(_PAGE)
