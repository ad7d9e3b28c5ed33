"""/v1/webhooks: what a receiver checks signatures with."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app.dependencies import CallerDep
from worker.webhook_secrets import WebhookSecrets
from worker.webhooks import Notice

router = APIRouter(
    prefix="/v1/webhooks",
    tags=["webhooks"],
)

#: What the service calls, for the description of the API alone.
described = APIRouter()


class WebhookSecret(BaseModel):
    """The secret of one's own webhooks: ``whsec_`` and 32 bytes in Base64."""

    secret: str


def _secrets(request: Request) -> WebhookSecrets:
    secrets = request.app.state.webhook_secrets
    assert isinstance(secrets, WebhookSecrets)
    return secrets


@router.get("/secret")
def get_webhook_secret(
    secrets: Annotated[WebhookSecrets, Depends(_secrets)], caller: CallerDep, response: Response
) -> WebhookSecret:
    """The secret that one's own webhooks are signed with (Standard Webhooks)."""
    response.headers["Cache-Control"] = "no-store"
    return WebhookSecret(secret=secrets.of(caller.owner))


@described.post(
    "job",
    status_code=HTTPStatus.NO_CONTENT,
    responses={HTTPStatus.GONE: {"description": "Call no more."}},
)
def job_changed(notice: Notice) -> None:
    """Sent to the `webhook_url` of a job that came into one of its `webhook_events`.

    Signed by Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Any 2xx is
    taken for receipt, 410 for "no more"; anything else is tried again.
    """
