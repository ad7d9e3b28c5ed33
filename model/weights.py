"""The VGG-19 weights that paint: which, and where they come from."""

import logging
from dataclasses import dataclass
from pathlib import Path

from model import formats, imagenet
from model.download import OnProgress
from model.errors import FeaturesError, FeaturesFormatError, FeaturesUnavailableError
from model.imagenet import KERAS_VGG19, Remote
from model.part import Expected, disk_errors
from model.vgg import Features

#: Weights that come with Atelier; beside them their SHA-256, as ``sha256sum`` writes it.
BUNDLED = Path(__file__).with_name("features") / "bundled.npz"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A file of weights, and why it is this one.

    Attributes:
        path: the file.
        reason: why, as half a sentence.
        name: of the features; the file's stem if None.
        sha256: hash that the file must have, in hex, if it is known.
    """

    path: Path
    reason: str
    name: str | None = None
    sha256: str | None = None

    def read(self) -> Features:
        """The weights.

        Raises:
            FeaturesError: as ``formats.read`` does.
        """
        return formats.read(self.path, name=self.name, sha256=self.sha256)


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
            of a file in one of the formats of ``model.formats``.
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
    else:
        features = choose(source, cache_dir, bundled=bundled).read()
    logger.info("features: %s (SHA-256 %.12s), %s", features.name, features.sha256, reason)
    return features


def choose(
    source: str, cache_dir: Path, *, remote: Remote = KERAS_VGG19, bundled: Path = BUNDLED
) -> Choice:
    """The file that ``load`` would take now if there were no network, and why.

    Args:
        source: as ``load``'s.
        cache_dir: where a downloaded file may lie.
        remote: the ImageNet weights.
        bundled: the weights that come with Atelier.

    Raises:
        FeaturesUnavailableError: there is none.
        FeaturesFormatError: the bundled file comes without its hash.
    """
    if source == "bundled":
        return _bundled(bundled, "as asked for")
    if source not in {"auto", "imagenet"}:
        return Choice(Path(source).expanduser(), "as asked for")
    cached = cache_dir / remote.name
    with disk_errors(cached):
        if Expected(size=remote.size, md5=remote.md5).met_by(cached):
            return Choice(cached, "it is in the cache", name="imagenet")
    if source == "auto":
        return _bundled(bundled, "unless the ImageNet features can be downloaded at the start")
    msg = "the ImageNet features are not in the cache; `atelier features fetch` brings them"
    raise FeaturesUnavailableError(f"{msg}. Received: {source}")


def _auto(
    cache_dir: Path, remote: Remote, bundled: Path, on_progress: OnProgress | None
) -> tuple[Features, str]:
    """The better weights that can be had, and why these."""
    try:
        path = imagenet.fetch_unless_it_just_failed(cache_dir, remote, on_progress=on_progress)
        return formats.read(path, name="imagenet"), "the best at hand"
    except FeaturesError as error:
        choice = _bundled(bundled, f"because {error}")
        return choice.read(), choice.reason


def _bundled(path: Path, reason: str) -> Choice:
    if not path.is_file():
        msg = f"Atelier was installed without its bundled features. Received: no {path.name}"
        raise FeaturesUnavailableError(msg)
    try:
        sha256, _name = path.with_suffix(".sha256").read_text().split()
    except (OSError, ValueError) as error:
        msg = f"{path.name} comes without its SHA-256. Received: {path.stem}.sha256"
        raise FeaturesFormatError(msg) from error
    return Choice(path, reason, name="bundled", sha256=sha256)
