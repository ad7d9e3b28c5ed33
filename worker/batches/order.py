"""What somebody hands in as a batch: an archive of pictures, and how to paint them all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from model.errors import InputError
from model.params import StyleTransferParams
from worker.batches.records import ArchiveFormat
from worker.digests import digest_of
from worker.records import Priority
from worker.tracing import current_traceparent


@dataclass(frozen=True)
class Arrival:
    """A picture as it comes out of an archive.

    Attributes:
        name: where it is there, for people.
        picture: its file.
        leaf: the record that it came in, without it; None where it came in none.
        fault: why it could not be taken out of its record; None where it could.
    """

    name: str
    picture: bytes
    leaf: bytes | None = None
    fault: InputError | None = None


class Archive(Protocol):
    """Pictures in their order, each read only when it comes; they can be gone through again.

    Going through them raises ``InputError`` where the archive is at fault.

    Attributes:
        format: of the archive.
    """

    format: ArchiveFormat

    def __iter__(self) -> Iterator[Arrival]:
        """The pictures."""
        ...


@dataclass(frozen=True)
class BatchOrder:
    """A request for many paintings in one style.

    Attributes:
        archive: the photographs.
        styles: files of the style pictures.
        params: how to paint all of them.
        priority: as of a job (``worker.fairness``).
        owner: whose the batch will be; None where there are no keys, and all is everybody's.
        client: whom limits count.
        idempotency_key: the client's own name for this request; None where it has none.
        traceparent: of the trace that the paintings will belong to; the present one, if any.
    """

    archive: Archive
    styles: Sequence[bytes]
    params: StyleTransferParams
    priority: Priority = "normal"
    owner: str | None = None
    client: str = field(kw_only=True)
    idempotency_key: str | None = None
    traceparent: str | None = field(default_factory=current_traceparent, compare=False)

    @property
    def client_digest(self) -> str:
        """The client as keys in Redis name it."""
        return digest_of(self.client.encode())[:32]
