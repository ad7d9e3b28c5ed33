"""Where the ImageNet weights come from: the cache, or else Keras's own file. Free of TensorFlow.

Oxford's VGG-19 (Simonyan & Zisserman 2015, CC BY 4.0) as ``keras.applications.VGG19`` loads it;
URL and MD5 are those of ``keras/src/applications/vgg19.py``, which gives no better hash.
"""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from model.download import OnProgress, download
from model.errors import FeaturesError, FeaturesUnavailableError
from model.part import Expected, disk_errors, exclusive

#: Seconds until the first answer: with the hashing of the bundled file behind it, a start without
#: a network stays under three.
CONNECT_TIMEOUT_SECONDS = 2.5

#: Seconds for which ``fetch_unless_it_just_failed`` believes that what failed would fail again.
RETRY_AFTER_SECONDS = 3600


@dataclass(frozen=True)
class Remote:
    """A file in the network.

    Attributes:
        url: http or https; ends with the name that the file has in the cache.
        size: in bytes.
        md5: in hex.
    """

    url: str
    size: int
    md5: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rsplit("/", 1)[-1]


KERAS_VGG19 = Remote(
    url=(
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    ),
    size=80_134_624,
    md5="253f8cb515780f3b799900260a226db6",
)


def fetch(
    cache_dir: Path, remote: Remote = KERAS_VGG19, *, on_progress: OnProgress | None = None
) -> Path:
    """The file in the cache, downloaded if it is not there or damaged.

    Raises:
        FeaturesError: as ``download`` does.
    """
    return download(
        remote.url,
        cache_dir / remote.name,
        md5=remote.md5,
        size=remote.size,
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        on_progress=on_progress,
    )


def fetch_unless_it_just_failed(
    cache_dir: Path, remote: Remote = KERAS_VGG19, *, on_progress: OnProgress | None = None
) -> Path:
    """Like ``fetch``, but a failure is remembered, so that not every start waits for a timeout.

    Of many workers that start at once without a network one waits; the others take its word.

    Raises:
        FeaturesError: it could not be had, now or less than an hour ago.
    """
    target = cache_dir / remote.name
    failure = cache_dir / f"{remote.name}.failed"
    with disk_errors(target):
        if Expected(size=remote.size, md5=remote.md5).met_by(target):
            return target
        with exclusive(failure):
            _raise_if_recent(failure)
            try:
                return fetch(cache_dir, remote, on_progress=on_progress)
            except FeaturesError as error:
                with contextlib.suppress(OSError):  # then the next start waits again; no harm
                    failure.write_text(str(error))
                raise


def _raise_if_recent(failure: Path) -> None:
    if not failure.exists():
        return
    age = time.time() - failure.stat().st_mtime
    if 0 <= age < RETRY_AFTER_SECONDS:  # a time in the future means that the clock was set
        again = int(RETRY_AFTER_SECONDS - age) // 60 + 1
        reason = failure.read_text(errors="replace")
        raise FeaturesUnavailableError(f"{reason} (remembered; asked again in {again} min)")
