"""A batch at the door: looked through once as a whole, and stored only if it may come in.

A picture that is not taken is a failure of that picture, known at once; an archive that is damaged,
too large or without a picture is refused as a whole, and nothing of it has been stored.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from model.door import inspect
from model.errors import InputError, ParameterError
from worker.admission import Admission
from worker.batches import book, leaf_files, unfinished
from worker.batches.order import Arrival, BatchOrder
from worker.batches.records import Asked, BatchSizeError, Entry, Manifest, Place
from worker.blobs import Blobs
from worker.connections import RedisAway
from worker.cost import check_cost
from worker.digests import digest_of
from worker.ledger import Ledger, longest_life_seconds
from worker.records import JobError
from worker.settings import Settings


@dataclass
class _Survey:
    """What was seen when the archive was looked through.

    Attributes:
        entries: the pictures.
        problems: why some of them cannot be painted, by number.
        bytes: of all that would be stored.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: dict[int, JobError] = field(default_factory=dict)
    bytes: int = 0


class BatchDoor:
    """Takes batches in; safe to share between threads."""

    def __init__(self, ledger: Ledger, blobs: Blobs, settings: Settings) -> None:
        self._connection = ledger.connection
        self._blobs = blobs
        self._settings = settings
        self._admission = Admission(ledger.connection, blobs, ledger.queue.key, settings)
        # Beside the queue, and then as its last job.
        self._life = settings.input_ttl_seconds + longest_life_seconds(settings)

    def take_in(self, order: BatchOrder) -> str:
        """As ``Batches.hand_in``; gives the new batch's id."""
        self._check_styles(order)
        unfinished.check_room(self._connection, order.client_digest, self._settings)
        survey = self._surveyed(order)
        self._admission.check(order.client_digest, survey.bytes)
        batch, leaves = uuid4().hex, list[str]()
        manifest = Manifest(
            batch=batch, entries=tuple(survey.entries), styles=tuple(map(digest_of, order.styles))
        )
        try:
            self._store_styles(order, batch)
            self._store_pictures(order, manifest, survey, leaves)
            manifest = manifest.model_copy(update={"leaves": tuple(leaves)})
            self._enter(order, manifest, survey)
        except BaseException:
            with contextlib.suppress(*RedisAway):
                self._undo(order, manifest, leaves)
            raise
        return batch

    def _check_styles(self, order: BatchOrder) -> None:
        order.params.shares(len(order.styles))
        for style in order.styles:
            inspect(style, self._settings.picture_limits, field="style")

    def _surveyed(self, order: BatchOrder) -> _Survey:
        found = _Survey(bytes=sum(map(len, order.styles)))
        for number, arrival in enumerate(order.archive):
            self._check_number(number + 1)
            problem = self._problem_of(arrival, order)
            if problem is None:
                found.bytes += len(arrival.picture)
            else:
                found.problems[number] = problem
            found.bytes += len(arrival.leaf or b"")
            self._check_bytes(found.bytes)
            found.entries.append(Entry(name=arrival.name, picture=digest_of(arrival.picture)))
        _check_some(found)
        return found

    def _problem_of(self, arrival: Arrival, order: BatchOrder) -> JobError | None:
        if arrival.fault is not None:
            return JobError.of(arrival.fault)
        try:
            info = inspect(arrival.picture, self._settings.picture_limits)
        except InputError as error:
            return JobError.of(error)
        try:
            check_cost(order.params, info, self._settings.max_megapixel_steps)
        except ParameterError as error:  # to be mended for all of them
            raise ParameterError(f"{arrival.name}: {error}", field=error.field) from None
        return None

    def _check_number(self, number: int) -> None:
        most = self._settings.max_batch_pictures
        if number > most:
            raise BatchSizeError(
                f"A batch may have up to {most:,} pictures. Received: more.", field="pictures"
            )

    def _check_bytes(self, size: int) -> None:
        most = self._settings.max_batch_bytes
        if size > most:
            raise BatchSizeError(
                f"A batch may have up to {most:,} bytes, unpacked and with its styles. "
                "Received: more.",
                field="pictures",
            )

    def _store_styles(self, order: BatchOrder, batch: str) -> None:
        for style in order.styles:
            self._blobs.add_upload(digest_of(style), style, batch, self._life)

    def _store_pictures(
        self, order: BatchOrder, manifest: Manifest, survey: _Survey, leaves: list[str]
    ) -> None:
        """Each by itself, as jobs need them, and what else was in the records together."""
        ttl = self._settings.input_ttl_seconds
        bundle = leaf_files.begun(manifest.batch)
        for number, arrival in enumerate(order.archive):
            if number not in survey.problems:
                self._admission.check_bytes(len(arrival.picture))  # others hand in meanwhile
                user = str(Place(manifest.batch, number))
                self._blobs.add_upload(manifest.entries[number].picture, arrival.picture, user, ttl)
            if arrival.leaf is not None:
                leaf_files.add(bundle, arrival.leaf)
            if len(bundle) > leaf_files.FILE_BYTES:
                self._store_leaves(bundle, manifest.batch, leaves)
                bundle = leaf_files.begun(manifest.batch)
        if order.archive.format == "tfrecord":
            self._store_leaves(bundle, manifest.batch, leaves)

    def _store_leaves(self, bundle: bytearray, batch: str, leaves: list[str]) -> None:
        data = bytes(bundle)
        leaves.append(digest_of(data))
        self._blobs.add_upload(leaves[-1], data, batch, self._life)

    def _enter(self, order: BatchOrder, manifest: Manifest, survey: _Survey) -> None:
        batch, written = manifest.batch, _written(manifest)
        asked = Asked(
            owner=order.owner,
            client=order.client_digest,
            created_at=datetime.now(UTC),
            total=len(survey.entries),
            format=order.archive.format,
            params=order.params,
            priority=order.priority,
            manifest=digest_of(written),
            traceparent=order.traceparent,
        )
        self._blobs.add_upload(asked.manifest, written, batch, self._life)
        with self._connection.pipeline() as pipeline:
            book.begin(pipeline, batch, asked, survey.problems, self._life)
            unfinished.enter(pipeline, batch, order.client_digest, self._life)
            pipeline.execute()

    def _undo(self, order: BatchOrder, manifest: Manifest, leaves: Sequence[str]) -> None:
        """Takes back what was stored, and first the batch itself, which may be there.

        After a cut nobody knows. Where Redis does not answer at all its pictures expire.
        """
        batch = manifest.batch
        book.forget(self._connection, batch)
        unfinished.leave(self._connection, batch, order.client_digest)
        release_waiting(self._blobs, manifest)
        self._blobs.release_uploads(batch, {*leaves, digest_of(_written(manifest))})


def release_waiting(blobs: Blobs, manifest: Manifest) -> None:
    """Forgets what jobs would have been made of; those that are there have it for themselves."""
    blobs.release(waiting_uses(manifest))
    blobs.release_uploads(manifest.batch, set(manifest.styles))


def waiting_uses(manifest: Manifest) -> list[tuple[str, str]]:
    """Under which names pictures are kept until they are jobs, as ``Blobs.release`` takes it."""
    return [
        (str(Place(manifest.batch, number)), entry.picture)
        for number, entry in enumerate(manifest.entries)
    ]


def manifest_of(blobs: Blobs, asked: Asked) -> Manifest | None:
    """What a batch is made of; None where that is not kept any more."""
    data = blobs.upload(asked.manifest)
    return None if data is None else Manifest.model_validate_json(data)


def _written(manifest: Manifest) -> bytes:
    return manifest.model_dump_json().encode()


def _check_some(found: _Survey) -> None:
    if len(found.entries) > len(found.problems):
        return
    if not found.entries:
        raise BatchSizeError("There is no picture in the archive.", field="pictures")
    first = f"{found.entries[0].name}: {found.problems[0].detail}"
    raise BatchSizeError(
        f"There is no picture in the archive that is taken here. The first: {first}",
        field="pictures",
    )
