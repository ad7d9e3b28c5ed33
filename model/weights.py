"""The VGG-19 weights that paint: which, and where they come from."""

import logging
from pathlib import Path

from model import formats, imagenet
from model.download import OnProgress
from model.errors import FeaturesError, FeaturesFormatError, FeaturesUnavailableError
from model.imagenet import KERAS_VGG19, Remote
from model.vgg import Features

#: Weights that come with Atelier; beside them their SHA-256, as ``sha256sum`` writes it.
BUNDLED = Path(__file__).with_name("features") / "bundled.npz"

logger = logging.getLogger(__name__)


def load(
    source: str,
    cache_dir: Path,
    *,
    remote: Remote = KERAS_VGG19,
    bundled: Path = BUNDLED,
    on_progress: OnProgress | None = None,
) -> Features:
    """Load the weights that a person asked for, and log which they are and why.

    Args:
        source: ``imagenet`` (from the cache or the network), ``bundled`` (no network), ``auto``
            (the first, or the second within three seconds if there is no network), or the path
            of an ``.npz`` or ``.h5`` file.
        cache_dir: keeps what was downloaded; it is made when needed.
        remote: the ImageNet weights.
        bundled: the weights that come with Atelier.
        on_progress: called while a file is downloaded.

    Raises:
        FeaturesUnavailableError: they are not to be had.
        FeaturesFormatError: a file is not what it claims to be.
    """
    reason = "as asked for"
    if source == "auto":
        features, reason = _auto(cache_dir, remote, bundled, on_progress)
    elif source == "imagenet":
        path = imagenet.fetch(cache_dir, remote, on_progress=on_progress)
        features = formats.read(path, name="imagenet")
    elif source == "bundled":
        features = _bundled(bundled)
    else:
        features = formats.read(Path(source).expanduser())
    logger.info("features: %s (SHA-256 %.12s), %s", features.name, features.sha256, reason)
    return features


def _auto(
    cache_dir: Path, remote: Remote, bundled: Path, on_progress: OnProgress | None
) -> tuple[Features, str]:
    """The better weights that can be had, and why these."""
    try:
        path = imagenet.fetch_unless_it_just_failed(cache_dir, remote, on_progress=on_progress)
        return formats.read(path, name="imagenet"), "the best at hand"
    except FeaturesError as error:
        return _bundled(bundled), f"because {error}"


def _bundled(path: Path) -> Features:
    if not path.is_file():
        msg = f"Atelier was installed without its bundled features. Received: no {path.name}"
        raise FeaturesUnavailableError(msg)
    try:
        sha256, _name = path.with_suffix(".sha256").read_text().split()
    except (OSError, ValueError) as error:
        msg = f"{path.name} comes without its SHA-256. Received: {path.stem}.sha256"
        raise FeaturesFormatError(msg) from error
    return formats.read(path, name="bundled", sha256=sha256)
