"""Published files of VGG-19 weights, known by their hashes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from model.imagenet import KERAS_VGG19


@dataclass(frozen=True)
class Known:
    """A file that somebody publishes.

    Attributes:
        title: what it is.
        algorithm: of the hash, as ``hashlib`` calls it.
        digest: in hex, or as much of it as is published.
        size: in bytes, or None where it is not published.
    """

    title: str
    algorithm: str
    digest: str
    size: int | None = None


KNOWN = (
    Known(
        "Keras's VGG-19 without its top: Oxford's weights, learned from ImageNet",
        "md5",
        KERAS_VGG19.md5,
        KERAS_VGG19.size,
    ),
    Known(
        "MatConvNet's imagenet-vgg-verydeep-19: Oxford's weights, learned from ImageNet",
        "md5",
        "106118b7cf60435e6d8e04f6a6dc3657",
        534_904_783,
    ),
    Known(
        "MatConvNet's imagenet-vgg-verydeep-19 of beta 16: Oxford's weights, learned from ImageNet",
        "md5",
        "8ee3263992981a1d26e73b3ca028a123",
    ),
    Known(
        "torchvision's VGG-19: learned from ImageNet anew, other weights than Oxford's",
        "sha256",
        "dcbb9e9d",  # its name, vgg19-dcbb9e9d.pth, says no more
        574_673_361,
    ),
)


def recognise(path: Path) -> str | None:
    """What is known of a file, or None.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    alike = [known for known in KNOWN if known.size in (None, size)]
    for known in alike:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, known.algorithm).hexdigest()
        if digest.startswith(known.digest):
            return known.title
    for known in alike:
        if known.size == size:
            return f"of the size of {known.title}, but with another hash: damaged, or changed"
    return None
