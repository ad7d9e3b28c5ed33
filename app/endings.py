"""Endings of picture files, and the formats that they say."""

#: By ending; of several for a format the first is the usual one.
FORMATS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
}


def ending_of(picture_format: str) -> str:
    """The usual ending of a format's files."""
    return next(ending for ending, name in FORMATS.items() if name == picture_format)
