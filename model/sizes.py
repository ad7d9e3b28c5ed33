"""Sizes of pictures, in whole pixels."""


def fit(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Return the (width, height) with this long side and the same aspect, each at least 16."""
    longest = max(width, height)
    # Whole numbers, rounded half up: the same on every machine.
    return (
        max(16, (2 * width * long_side + longest) // (2 * longest)),
        max(16, (2 * height * long_side + longest) // (2 * longest)),
    )
