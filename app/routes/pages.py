"""/docs and /admin: pages beside the one at /, which is served as a file."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

_PAGES = Path(__file__).parents[1] / "page"

router = APIRouter(include_in_schema=False)


@router.get("/docs", response_class=FileResponse)
async def docs() -> FileResponse:
    """The HTTP interface for people, without a script from elsewhere."""
    return FileResponse(_PAGES / "docs.html")


@router.get("/admin", response_class=FileResponse)
async def admin() -> FileResponse:
    """The house for who runs it; what it shows is asked for by its script, with a key."""
    return FileResponse(_PAGES / "admin.html")
