"""The form of a batch: its fields, and how they are read."""

from fastapi import UploadFile
from pydantic import Field

from app.batch.arriving import archive_in
from app.dependencies import Caller
from app.form import FORM_BYTES, StyleForm
from model.params import MAX_STYLES
from worker.batches.order import BatchOrder
from worker.batches.records import BatchSizeError
from worker.settings import Settings


class BatchForm(StyleForm):
    """What is handed in: many pictures in one file, how to paint all of them, and how soon."""

    pictures: UploadFile = Field(
        description="The photographs: a `.zip` of JPEG, PNG, WebP and TIFF files, of which others "
        "are left out, or a `.tfrecord` of `tf.train.Example` with a picture in `image/encoded`."
    )

    def order(self, caller: Caller, settings: Settings, idempotency_key: str | None) -> BatchOrder:
        """What is handed in, in the name of who asks; the photographs are not read yet.

        Raises:
            InputError: the archive or a style is not taken.
        """
        self.check_styles(settings.picture_limits)
        self._check_archive(settings.max_batch_bytes)
        return BatchOrder(
            archive_in(self.pictures.file, settings),
            self.styles(),
            self.params(),
            self.priority,
            owner=caller.owner,
            client=caller.client,
            idempotency_key=idempotency_key,
        )

    def _check_archive(self, most: int) -> None:
        """Its share of the request, in which there is room for styles as well."""
        if (self.pictures.size or 0) > most:
            raise BatchSizeError(
                f"A batch may have up to {most:,} bytes. "
                f"Received: {self.pictures.size:,} bytes, as an archive.",
                field="pictures",
            )


def max_batch_form_bytes(settings: Settings) -> int:
    """How large a whole request may be."""
    return settings.max_batch_bytes + MAX_STYLES * settings.max_upload_bytes + FORM_BYTES
