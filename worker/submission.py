"""What somebody hands in: pictures, how to paint them, and on what terms."""

from dataclasses import dataclass, field, replace
from typing import Self

from model.params import StyleTransferParams
from worker.batches.turn import Turn
from worker.digests import digest_of, fingerprint_of
from worker.pictures import Pictures
from worker.records import Priority, Work
from worker.settings import Settings
from worker.tracing import current_traceparent
from worker.webhook_targets import checked_url
from worker.webhooks import Webhook


@dataclass(frozen=True)
class Submission:
    """A request for a painting.

    Attributes:
        pictures: the files.
        params: how to paint.
        priority: ``high`` goes before all that waits, within limits (``worker.fairness``).
        owner: whose the job will be; None where there are no keys, and all is everybody's.
        client: whom limits count and idempotency keys belong to; None for nobody in particular.
        webhook: who is to be told of it.
        reuse: whether an identical job that has succeeded may answer.
        idempotency_key: the client's own name of this request; None where it has none.
        traceparent: of the trace that the painting will belong to; the present one, if any.
        turn: of the picture of a batch that it is; None where it is none.
    """

    pictures: Pictures
    params: StyleTransferParams
    priority: Priority = "normal"
    owner: str | None = None
    client: str | None = None
    webhook: Webhook | None = None
    reuse: bool = False
    idempotency_key: str | None = None
    traceparent: str | None = field(default_factory=current_traceparent, compare=False)
    turn: Turn | None = None

    @property
    def client_digest(self) -> str | None:
        """The client as keys in Redis name it: addresses of people are nobody's business there."""
        if self.turn is not None:
            return self.turn.client
        return None if self.client is None else digest_of(self.client.encode())[:32]

    @property
    def batch(self) -> str | None:
        """Its place in a batch, as a job's record has it."""
        return None if self.turn is None else str(self.turn.place)

    @property
    def upload_bytes(self) -> int:
        """How much more is kept with it: the pictures of a batch are there already."""
        return self.pictures.size if self.turn is None else 0

    def checked(self, settings: Settings) -> Self:
        """The same, if its webhook may go where it is to go.

        Raises:
            ParameterError: it may not.
        """
        if self.webhook is None:
            return self
        url = checked_url(self.webhook.url, allow_private=settings.webhook_allow_private)
        return replace(self, webhook=self.webhook.model_copy(update={"url": url}))

    def work(self) -> Work:
        """What a worker is to do; each picture by its SHA-256."""
        pictures, mask = self.pictures, self.pictures.content_mask
        return Work(
            content=digest_of(pictures.content),
            styles=tuple(map(digest_of, pictures.styles)),
            content_mask=None if mask is None else digest_of(mask),
            style_masks=tuple(map(digest_of, pictures.style_masks)),
            params=self.params,
        )

    def fingerprint(self, work: Work) -> str:
        """What a request with the same idempotency key must agree in: all that was asked for."""
        webhook = None if self.webhook is None else self.webhook.model_dump(mode="json")
        return fingerprint_of(
            {
                "work": work.as_json(),
                "priority": self.priority,
                "reuse": self.reuse,
                "webhook": webhook,
            }
        )
