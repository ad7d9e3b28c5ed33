"""The errors that Atelier raises on purpose.

    AtelierError
    ├── InputError                    what was asked for is at fault; nothing has been painted
    │   ├── ParameterError            a parameter, or a combination of them
    │   ├── UnsupportedPictureError   not a picture, or a kind of picture that is not taken
    │   ├── BrokenPictureError        a picture that cannot be decoded to its end
    │   └── PictureSizeError          too many pixels, too few, or too long and thin
    ├── FeaturesError                 the VGG-19 weights are at fault
    │   ├── FeaturesUnavailableError  they are neither in the cache nor to be had
    │   └── FeaturesFormatError       the file is not what it claims to be
    └── PaintingError                 the run itself is at fault
        ├── DivergedError             the optimisation left the finite numbers twice
        ├── CheckpointError           a saved run that does not belong to this one
        ├── DeviceMemoryError         the device has too little memory for it
        └── OutOfTimeError            the time allowed for the painting is up

A class's ``slug`` is stable, for programs; its ``title`` and every message are for people. A
message says to the person who asked for the picture what was wrong and, where something was
received, ends with it. It never holds a path, a key or a stack trace.
"""

from typing import ClassVar


class AtelierError(Exception):
    """Every error that Atelier raises on purpose."""

    slug: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"


class InputError(AtelierError):
    """What was asked for is at fault; nothing has been painted.

    Attributes:
        field: name of the field at fault as the API spells it, or None.
    """

    slug = "bad-request"
    title = "The request is at fault"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ParameterError(InputError):
    """A parameter, or a combination of parameters, is at fault."""

    slug = "invalid-parameter"
    title = "A parameter is not what it should be"


class UnsupportedPictureError(InputError):
    """Not a picture, or a kind of picture that is not taken."""

    slug = "unsupported-picture"
    title = "This kind of file is not taken"


class BrokenPictureError(InputError):
    """A picture that cannot be decoded to its end."""

    slug = "broken-picture"
    title = "The picture cannot be read"


class PictureSizeError(InputError):
    """A picture with too many pixels, too few, or too long and thin."""

    slug = "picture-size"
    title = "The picture's size is out of range"


class FeaturesError(AtelierError):
    """The VGG-19 weights are at fault."""

    slug = "features"
    title = "The network's weights are at fault"


class FeaturesUnavailableError(FeaturesError):
    """The weights are neither in the cache nor to be had from the network."""


class FeaturesFormatError(FeaturesError):
    """The file is not what it claims to be: wrong hash, missing layer, wrong shape."""


class PaintingError(AtelierError):
    """The run itself is at fault."""

    slug = "painting-failed"
    title = "The painting failed"


class DivergedError(PaintingError):
    """The optimisation left the finite numbers, also after a more careful restart."""

    slug = "diverged"
    title = "The optimisation diverged"


class CheckpointError(PaintingError):
    """A saved run that does not belong to this one, or is damaged."""


class DeviceMemoryError(PaintingError):
    """The device has too little memory for the picture, also in small tiles."""

    slug = "out-of-memory"
    title = "The device has too little memory"


class OutOfTimeError(PaintingError):
    """The time allowed for the painting is up."""

    slug = "timeout"
    title = "The time for the painting was up"
