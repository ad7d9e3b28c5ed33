"""What somebody hands in: pictures, how to paint them, and on what terms."""

from dataclasses import dataclass
from typing import Literal

from model.params import StyleTransferParams
from worker.pictures import Pictures

Priority = Literal["normal", "high"]


@dataclass(frozen=True)
class Submission:
    """A request for a painting.

    Attributes:
        pictures: the files.
        params: how to paint.
        priority: ``high`` goes before all that waits.
        owner: whose the job will be; None where there are no keys, and all is everybody's.
    """

    pictures: Pictures
    params: StyleTransferParams
    priority: Priority = "normal"
    owner: str | None = None
