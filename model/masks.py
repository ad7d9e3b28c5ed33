"""What masks must be to go with the pictures of a request. Free of NumPy: the front looks, too."""

from model.errors import ParameterError


def check_together(content_masks: int, style_masks: int, styles: int) -> None:
    """Makes sure that there is a mask for every picture, or none at all.

    Args:
        content_masks: how many there are of the content picture, 0 or 1.
        style_masks: how many there are of the style pictures.
        styles: number of style pictures.

    Raises:
        ParameterError: some are missing, or there are too many.
    """
    if (content_masks, style_masks) not in {(0, 0), (1, styles)}:
        raise ParameterError(
            "Masks come together: content_mask, and one style_mask for each style picture. "
            f"Received: {content_masks} content_mask and {style_masks} style_mask for {styles} "
            "style pictures.",
            field="style_mask" if content_masks else "content_mask",
        )


def check_proportions(mask: tuple[int, int], picture: tuple[int, int], field: str) -> None:
    """Makes sure that a mask fits its picture; both as (width, height).

    Raises:
        ParameterError: its proportions are others by more than a pixel in fifty.
    """
    ratio = mask[0] * picture[1] / (mask[1] * picture[0])
    if not 0.98 <= ratio <= 1 / 0.98:  # noqa: PLR2004
        raise ParameterError(
            f"{field} must have the proportions of its picture, {picture[0]}x{picture[1]}. "
            f"Received: {mask[0]}x{mask[1]}.",
            field=field,
        )
