"""What somebody hands in: pictures, how to paint them, and on what terms."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from model.params import StyleTransferParams
from worker.pictures import Pictures
from worker.settings import Settings
from worker.tracing import current_traceparent
from worker.webhook_targets import checked_url
from worker.webhooks import Webhook

Priority = Literal["normal", "high"]


@dataclass(frozen=True)
class Submission:
    """A request for a painting.

    Attributes:
        pictures: the files.
        params: how to paint.
        priority: ``high`` goes before all that waits.
        owner: whose the job will be; None where there are no keys, and all is everybody's.
        webhook: who is to be told of it.
        traceparent: of the trace that the painting will belong to; the present one, if any.
    """

    pictures: Pictures
    params: StyleTransferParams
    priority: Priority = "normal"
    owner: str | None = None
    webhook: Webhook | None = None
    traceparent: str | None = field(default_factory=current_traceparent, compare=False)

    def checked(self, settings: Settings) -> Self:
        """The same, if its webhook may go where it is to go.

        Raises:
            ParameterError: it may not.
        """
        if self.webhook is None:
            return self
        url = checked_url(self.webhook.url, allow_private=settings.webhook_allow_private)
        return replace(self, webhook=self.webhook.model_copy(update={"url": url}))
