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
        └── OutOfTimeError            the time allowed for the painting is up

Every message is written for the person who asked for the picture: it says what was wrong and,
where something was received, ends with it. It never holds a path, a key or a stack trace.
"""


class AtelierError(Exception):
    """Every error that Atelier raises on purpose."""


class InputError(AtelierError):
    """What was asked for is at fault; nothing has been painted.

    Attributes:
        field: name of the field at fault as the API spells it, or None.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ParameterError(InputError):
    """A parameter, or a combination of parameters, is at fault."""


class UnsupportedPictureError(InputError):
    """Not a picture, or a kind of picture that is not taken."""


class BrokenPictureError(InputError):
    """A picture that cannot be decoded to its end."""


class PictureSizeError(InputError):
    """A picture with too many pixels, too few, or too long and thin."""


class FeaturesError(AtelierError):
    """The VGG-19 weights are at fault."""


class FeaturesUnavailableError(FeaturesError):
    """The weights are neither in the cache nor to be had from the network."""


class FeaturesFormatError(FeaturesError):
    """The file is not what it claims to be: wrong hash, missing layer, wrong shape."""


class PaintingError(AtelierError):
    """The run itself is at fault."""


class DivergedError(PaintingError):
    """The optimisation left the finite numbers, also after a more careful restart."""


class CheckpointError(PaintingError):
    """A saved run that does not belong to this one, or is damaged."""


class OutOfTimeError(PaintingError):
    """The time allowed for the painting is up."""
