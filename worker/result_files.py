"""A finished picture as a file: what goes with it, whether the API hands it out or the store."""

from collections.abc import Mapping

from model.container import MEDIA_TYPES


def file_headers(job_id: str, file_format: str) -> Mapping[str, str]:
    """Headers that go with a job's picture: what it is, its name, and that it is for no cache.

    Args:
        job_id: whose it is.
        file_format: as in ``JobResult``.
    """
    return {
        "Content-Type": MEDIA_TYPES[file_format],
        "Content-Disposition": f'inline; filename="atelier-{job_id[:8]}.{file_format}"',
        # Ask before reusing it, and not for those that others share.
        "Cache-Control": "private, no-cache",
    }
