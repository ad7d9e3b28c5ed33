"""The kinds of problems: one table, which error answers and their description are made from.

A kind that an error class stands for has its slug and title; the others have theirs here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from model import errors
from worker import admission, idempotency, ledger, painting_job, revival
from worker.batches.records import BatchSizeError, BrokenArchiveError, NoSuchBatch
from worker.connections import RedisUnreachableError


@dataclass(frozen=True)
class Kind:
    """A kind of problem (RFC 9457, section 3.1).

    Attributes:
        status: of its answers.
        slug: its stable name, the last part of its type.
        title: what it is, for people.
    """

    status: HTTPStatus
    slug: str
    title: str


#: The most specific class of an error that is in here decides.
STATUS: Mapping[type[Exception], HTTPStatus] = {
    errors.AtelierError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsupportedPictureError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ledger.NoSuchJob: HTTPStatus.NOT_FOUND,
    NoSuchBatch: HTTPStatus.NOT_FOUND,
    admission.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    admission.TooManyJobs: HTTPStatus.TOO_MANY_REQUESTS,
    idempotency.KeyInUse: HTTPStatus.CONFLICT,
    revival.NotFailed: HTTPStatus.CONFLICT,
    revival.PicturesGone: HTTPStatus.GONE,
    RedisUnreachableError: HTTPStatus.SERVICE_UNAVAILABLE,
    painting_job.OtherVersion: HTTPStatus.SERVICE_UNAVAILABLE,
}


def of_error(error: type[errors.AtelierError]) -> Kind:
    """The kind that a class of errors is."""
    status = next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)
    return Kind(status, error.slug, error.title)


def of_status(status: HTTPStatus) -> Kind:
    """The kind that a status tells by itself: what the framework refuses."""
    return Kind(status, status.phrase.lower().replace(" ", "-"), status.phrase)


BAD_REQUEST = of_status(HTTPStatus.BAD_REQUEST)
NO_KEY = Kind(HTTPStatus.UNAUTHORIZED, "no-key", "A key is needed")
UNKNOWN_KEY = Kind(HTTPStatus.UNAUTHORIZED, "unknown-key", "The key is not known")
CROSS_SITE = Kind(HTTPStatus.FORBIDDEN, "cross-site", "Requests from other sites are refused")
ADMINS_ONLY = Kind(HTTPStatus.FORBIDDEN, "admins-only", "This is for admins")
NOT_FOUND = of_status(HTTPStatus.NOT_FOUND)
NO_SUCH_JOB = of_error(ledger.NoSuchJob)
NO_SUCH_BATCH = of_error(NoSuchBatch)
NO_PREVIEW = Kind(HTTPStatus.NOT_FOUND, "no-preview", "No preview yet")
NO_LOSSES = Kind(HTTPStatus.NOT_FOUND, "no-losses", "No losses yet")
NO_SUCH_STYLE = Kind(HTTPStatus.NOT_FOUND, "no-such-style", "No such style")
METHOD_NOT_ALLOWED = of_status(HTTPStatus.METHOD_NOT_ALLOWED)
NO_RESULT = Kind(HTTPStatus.CONFLICT, "no-result", "There is no result")
NO_KEYS = Kind(HTTPStatus.CONFLICT, "no-keys", "There are no keys")
NOT_FAILED = of_error(revival.NotFailed)
KEY_IN_USE = of_error(idempotency.KeyInUse)
RESULT_EXPIRED = Kind(HTTPStatus.GONE, "result-expired", "The result is gone")
PICTURES_GONE = of_error(revival.PicturesGone)
PRECONDITION_FAILED = Kind(
    HTTPStatus.PRECONDITION_FAILED, "precondition-failed", "It is another one now"
)
TOO_LARGE = Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The request is too large")
UNSUPPORTED_MEDIA_TYPE = Kind(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "This kind of body is not taken"
)
UNSUPPORTED_PICTURE = of_error(errors.UnsupportedPictureError)
RANGE_NOT_SATISFIABLE = Kind(
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "There are no such bytes"
)
MISDIRECTED = Kind(
    HTTPStatus.MISDIRECTED_REQUEST, "misdirected", "This is not the host that was asked for"
)
INVALID_PARAMETER = of_error(errors.ParameterError)
BROKEN_PICTURE = of_error(errors.BrokenPictureError)
BROKEN_ARCHIVE = of_error(BrokenArchiveError)
BATCH_SIZE = of_error(BatchSizeError)
PICTURE_SIZE = of_error(errors.PictureSizeError)
KEY_REUSED = of_error(idempotency.KeyReused)
TOO_MANY_REQUESTS = Kind(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
TOO_MANY_JOBS = of_error(admission.TooManyJobs)
INTERNAL_ERROR = Kind(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Something broke on our side"
)
REDIS_UNREACHABLE = of_error(RedisUnreachableError)
QUEUE_FULL = of_error(admission.QueueFull)
OTHER_VERSION = of_error(painting_job.OtherVersion)
NOT_READY = Kind(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "Not ready")

#: All of them, by status.
KINDS: tuple[Kind, ...] = tuple(found for found in globals().values() if isinstance(found, Kind))

#: When to come back, in seconds: a restart of Redis is over by then, and so is a draft. Of several
#: APIs that are upgraded one after the other the next may be a newer one.
RETRY_AFTER_SECONDS: Mapping[Kind, int] = {
    REDIS_UNREACHABLE: 2,
    QUEUE_FULL: 30,
    TOO_MANY_JOBS: 30,
    KEY_IN_USE: 1,
    OTHER_VERSION: 5,
    NOT_READY: 5,
}
