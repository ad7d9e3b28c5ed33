"""What a job costs, which is known before anything is painted."""

from model import recipes
from model.door import PictureInfo
from model.errors import ParameterError
from model.params import StyleTransferParams


def check_cost(params: StyleTransferParams, content: PictureInfo, most: int) -> None:
    """Makes sure that a job is not too much for one.

    Args:
        params: how to paint.
        content: what.
        most: megapixels of the result times optimisation steps.

    Raises:
        ParameterError: it is more.
    """
    scales = recipes.scales(params, content.width, content.height)
    cost = sum(scale.work for scale in scales) / 1e6
    if cost > most:
        raise ParameterError(
            "This size with so many steps is more than one job may cost here: at most "
            f"{most} megapixel-steps. Received: {cost:.0f}.",
            field="size",
        )
