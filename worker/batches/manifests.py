"""Files that say what batches are made of, and what is kept for them."""

from worker.batches.records import Asked, Manifest, Place
from worker.blobs import Blobs


def written(manifest: Manifest) -> bytes:
    """The file."""
    return manifest.model_dump_json().encode()


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
