"""An archive of a batch, looked through once as a whole before anything of it is stored."""

import json
from dataclasses import dataclass, field

from model.door import inspect
from model.errors import InputError, ParameterError
from worker.batches.book import Page
from worker.batches.order import Arrival, BatchOrder
from worker.batches.records import (
    NAMED,
    Asked,
    BatchCounts,
    BatchFailure,
    BatchSizeError,
    Entry,
)
from worker.cost import check_cost
from worker.digests import digest_of
from worker.records import JobError
from worker.settings import Settings


@dataclass
class Survey:
    """What was seen when the archive was looked through.

    Attributes:
        entries: the pictures.
        problems: why some of them cannot be painted, by number.
        bytes: of all that would be stored.
        leaves: digest of what the records had beside their pictures.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: dict[int, JobError] = field(default_factory=dict)
    bytes: int = 0
    leaves: str = ""

    @property
    def failures(self) -> list[BatchFailure]:
        """The first of them."""
        return [
            BatchFailure(name=self.entries[number].name, job_id=None, problem=problem)
            for number, problem in sorted(self.problems.items())[:NAMED]
        ]

    def page(self, asked: Asked) -> Page:
        """The new batch in the book, before anything has become of it."""
        failed = len(self.problems)
        counts = BatchCounts(queued=asked.total - failed, failed=failed)
        return Page(asked, counts, counts.queued, None)

    def fingerprint(self, order: BatchOrder) -> str:
        """Alike for two requests that ask for the same paintings, in the same files."""
        asked = {
            "entries": [entry.model_dump() for entry in self.entries],
            "leaves": self.leaves,
            "styles": list(map(digest_of, order.styles)),
            "params": order.params.model_dump(mode="json"),
            "priority": order.priority,
            "format": order.archive.format,
        }
        return digest_of(json.dumps(asked).encode())


def check_styles(order: BatchOrder, settings: Settings) -> None:
    """Makes sure that the styles are taken.

    Raises:
        InputError: one is not, or there are too many shares.
    """
    order.params.shares(len(order.styles))
    for style in order.styles:
        inspect(style, settings.picture_limits, field="style")


def looked_through(order: BatchOrder, settings: Settings) -> Survey:
    """What is in the archive.

    Raises:
        InputError: it is at fault as a whole.
    """
    found = Survey(bytes=sum(map(len, order.styles)))
    for number, arrival in enumerate(order.archive):
        _check_number(number + 1, settings.max_batch_pictures)
        problem = _problem_of(arrival, order, settings)
        if problem is None:
            found.bytes += len(arrival.picture)
        else:
            found.problems[number] = problem
        found.bytes += len(arrival.leaf or b"")
        found.leaves = digest_of(found.leaves.encode() + (arrival.leaf or b""))
        _check_bytes(found.bytes, settings.max_batch_bytes)
        found.entries.append(Entry(name=arrival.name, picture=digest_of(arrival.picture)))
    _check_some(found)
    return found


def _problem_of(arrival: Arrival, order: BatchOrder, settings: Settings) -> JobError | None:
    if arrival.fault is not None:
        return JobError.of(arrival.fault)
    try:
        info = inspect(arrival.picture, settings.picture_limits)
    except InputError as error:
        return JobError.of(error)
    try:
        check_cost(order.params, info, settings.max_megapixel_steps)
    except ParameterError as error:  # to be mended for all of them
        raise ParameterError(f"{arrival.name}: {error}", field=error.field) from None
    return None


def _check_number(number: int, most: int) -> None:
    if number > most:
        raise BatchSizeError(
            f"A batch may have up to {most:,} pictures. Received: more.", field="pictures"
        )


def _check_bytes(size: int, most: int) -> None:
    if size > most:
        raise BatchSizeError(
            f"A batch may have up to {most:,} bytes, unpacked and with its styles. Received: more.",
            field="pictures",
        )


def _check_some(found: Survey) -> None:
    if len(found.entries) > len(found.problems):
        return
    if not found.entries:
        raise BatchSizeError("There is no picture in the archive.", field="pictures")
    first = f"{found.entries[0].name}: {found.problems[0].detail}"
    raise BatchSizeError(
        f"There is no picture in the archive that is taken here. The first: {first}",
        field="pictures",
    )
