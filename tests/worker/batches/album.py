"""Batches of pictures at hand, for tests of what is behind the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from model.params import StyleTransferParams
from tests.pictures import photograph, style_picture
from worker.batches.order import Arrival, BatchOrder
from worker.batches.records import ArchiveFormat, Batch

PARAMS = StyleTransferParams(size=64, quality="draft", steps=12)

STYLE = style_picture(80, 80)


@dataclass
class Album:
    """An archive that is none: pictures at hand."""

    pictures: Sequence[bytes]
    format: ArchiveFormat = field(default="zip")

    def __iter__(self) -> Iterator[Arrival]:
        for number, picture in enumerate(self.pictures):
            yield Arrival(f"{number}.jpg", picture)


def an_order(count: int, **terms: Any) -> BatchOrder:
    pictures = [photograph(64 + 2 * number, 64) for number in range(count)]
    return BatchOrder(Album(pictures), [STYLE], PARAMS, **({"client": "anna"} | terms))


def counted(batch: Batch) -> Mapping[str, int]:
    return {status: number for status, number in batch.counts.model_dump().items() if number}
