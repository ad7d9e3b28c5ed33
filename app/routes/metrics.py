"""GET /metrics: the numbers, for Prometheus."""

from fastapi import APIRouter, Request, Response

from app.answers import media
from app.dependencies import CallerDep
from app.metrics import Metrics

router = APIRouter(tags=["system"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: media("text/plain", "application/openmetrics-text")},
)
def get_metrics(request: Request, caller: CallerDep) -> Response:
    """The metrics in the text format of Prometheus, or in OpenMetrics."""
    del caller  # that there is one is all
    shown = request.app.state.metrics
    assert isinstance(shown, Metrics)
    text, media_type = shown.expose(request.headers.get("Accept", ""))
    return Response(text, headers={"Content-Type": media_type})
