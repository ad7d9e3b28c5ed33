"""A batch at the door: looked through once as a whole, and stored only if it may come in.

A picture that is not taken is a failure of that picture, known at once; an archive that is damaged,
too large or without a picture is refused as a whole, and nothing of it has been stored.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from worker.admission import Admission
from worker.batches import book, leaf_files, unfinished
from worker.batches.manifests import release_waiting, written
from worker.batches.order import BatchOrder
from worker.batches.records import Asked, Batch, Manifest, Place
from worker.batches.survey import Survey, check_styles, looked_through
from worker.blobs import Blobs
from worker.connections import RedisAway, cuts_told
from worker.digests import digest_of
from worker.idempotency import Idempotency, Ticket
from worker.ledger import Ledger, longest_life_seconds
from worker.settings import Settings


class BatchDoor:
    """Takes batches in; safe to share between threads."""

    def __init__(self, ledger: Ledger, blobs: Blobs, settings: Settings) -> None:
        self._connection = ledger.connection
        self._blobs = blobs
        self._settings = settings
        self._admission = Admission(ledger.connection, blobs, ledger.queue.key, settings)
        self._idempotency = Idempotency(ledger.connection, Batch)
        # Beside the queue, and then as its last job.
        self._life = settings.input_ttl_seconds + longest_life_seconds(settings)

    def take_in(self, order: BatchOrder) -> Batch:
        """As ``Batches.hand_in``."""
        check_styles(order, self._settings)
        if order.idempotency_key is None:
            self._check_room(order)  # before all is looked through
            return self._store(order, looked_through(order, self._settings), uuid4().hex, None)
        survey, batch = looked_through(order, self._settings), uuid4().hex
        return self._idempotency.once(
            order.client,
            order.idempotency_key,
            survey.fingerprint(order),
            batch,
            lambda ticket: self._store(order, survey, batch, ticket),
        )

    def _store(self, order: BatchOrder, survey: Survey, batch: str, ticket: Ticket | None) -> Batch:
        self._check_room(order)
        self._admission.check(order.client_digest, survey.bytes)
        leaves = list[str]()
        manifest = Manifest(
            batch=batch, entries=tuple(survey.entries), styles=tuple(map(digest_of, order.styles))
        )
        try:
            self._store_styles(order, batch)
            self._store_pictures(order, manifest, survey, leaves, ticket)
            manifest = manifest.model_copy(update={"leaves": tuple(leaves)})
            return self._enter(order, manifest, survey, ticket)
        except BaseException:
            with contextlib.suppress(*RedisAway):
                self._undo(order, manifest, leaves)
            raise

    def _check_room(self, order: BatchOrder) -> None:
        unfinished.check_room(self._connection, order.client_digest, self._settings)

    def _store_styles(self, order: BatchOrder, batch: str) -> None:
        for style in order.styles:
            self._blobs.add_upload(digest_of(style), style, batch, self._life)

    def _store_pictures(
        self,
        order: BatchOrder,
        manifest: Manifest,
        survey: Survey,
        leaves: list[str],
        ticket: Ticket | None,
    ) -> None:
        """Each by itself, as jobs need them, and what else was in the records together."""
        ttl = self._settings.input_ttl_seconds
        bundle = leaf_files.begun(manifest.batch)
        for number, arrival in enumerate(order.archive):
            if ticket is not None:
                ticket.renew(self._connection)
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

    def _enter(
        self, order: BatchOrder, manifest: Manifest, survey: Survey, ticket: Ticket | None
    ) -> Batch:
        batch, file = manifest.batch, written(manifest)
        asked = Asked(
            owner=order.owner,
            client=order.client_digest,
            created_at=datetime.now(UTC),
            total=len(survey.entries),
            format=order.archive.format,
            params=order.params,
            priority=order.priority,
            manifest=digest_of(file),
            traceparent=order.traceparent,
        )
        self._blobs.add_upload(asked.manifest, file, batch, self._life)
        life = timedelta(seconds=self._settings.result_ttl_seconds)
        seen = survey.page(asked).view(batch, survey.failures, life)
        with self._connection.pipeline() as pipeline:
            if ticket is not None:
                ticket.watch(pipeline)
            book.begin(pipeline, batch, asked, survey.problems, self._life)
            unfinished.enter(pipeline, batch, order.client_digest, self._life)
            if ticket is not None:
                ticket.complete(pipeline, seen, self._life)
            with cuts_told():
                pipeline.execute()
        return seen

    def _undo(self, order: BatchOrder, manifest: Manifest, leaves: Sequence[str]) -> None:
        """Takes back what was stored, and first the batch itself, which may be there.

        After a cut nobody knows. Where Redis does not answer at all its pictures expire.
        """
        batch = manifest.batch
        self._idempotency.forget(batch)
        book.forget(self._connection, batch)
        unfinished.leave(self._connection, batch, order.client_digest)
        release_waiting(self._blobs, manifest)
        self._blobs.release_uploads(batch, {*leaves, digest_of(written(manifest))})
