"""The picture files of a request as they came, and whether they may come in."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.door import PictureInfo, PictureLimits, inspect
from model.masks import check_proportions, check_together


@dataclass(frozen=True)
class Pictures:
    """The files of a request.

    Attributes:
        content: the photograph.
        styles: the pictures to take the style from.
        content_mask: a plain colour for each region of the photograph; None where all is one.
        style_masks: likewise, one for each style, in their order; none where all is one region.
    """

    content: bytes
    styles: Sequence[bytes]
    content_mask: bytes | None = None
    style_masks: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(len(data) for _, data in self.by_field())

    def by_field(self) -> list[tuple[str, bytes]]:
        """The files, each after the name of its field in a form."""
        mask = [] if self.content_mask is None else [("content_mask", self.content_mask)]
        return [
            ("content", self.content),
            *(("style", style) for style in self.styles),
            *mask,
            *(("style_mask", style_mask) for style_mask in self.style_masks),
        ]

    def check(self, limits: PictureLimits) -> PictureInfo:
        """Looks at the files without decoding them.

        Returns:
            What the door has learned of the content picture.

        Raises:
            InputError: a file is not taken, or a mask is missing or does not fit its picture.
        """
        masks = len(self.style_masks)
        check_together(int(self.content_mask is not None), masks, len(self.styles))
        found = [(field, inspect(data, limits, field=field)) for field, data in self.by_field()]
        pictures = 1 + len(self.styles)
        for (_, picture), (field, mask) in zip(found[:pictures], found[pictures:], strict=False):
            check_proportions((mask.width, mask.height), (picture.width, picture.height), field)
        return found[0][1]
