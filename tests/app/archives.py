"""Archives of pictures as they are handed in, and batches on their way."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, cast

import httpx

from tests.app.api import FINAL, Files, Json
from tests.house import eventually
from tests.model.picture_files import chunk
from tests.pictures import photograph
from worker import tfrecords
from worker.tf_example import Example


def photographs(count: int, prefix: str = "") -> dict[str, bytes]:
    """Photographs of different widths under names that are not in the order of their making."""
    return {f"{prefix}{count - n} town.jpg": photograph(80 + 4 * n, 72) for n in range(count)}


def torn(width: int, height: int) -> bytes:
    """A PNG that is whole as far as the door sees, and cannot be decoded."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", b"\xff" * 200), chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def a_zip(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def an_example(picture: bytes, label: int) -> bytes:
    made = Example()
    features = made.features.feature
    features["image/encoded"].bytes_list.value.append(picture)
    features["image/format"].bytes_list.value.append(b"jpeg")
    features["image/height"].int64_list.value.append(1)
    features["image/class/label"].int64_list.value.append(label)
    features["image/box"].float_list.value.extend([0.25, 0.5])
    return bytes(made.SerializeToString())


def a_tfrecord(*records: bytes) -> bytes:
    return b"".join(map(tfrecords.framed, records))


def form(archive: bytes, *styles: bytes) -> Files:
    """The files of a batch's form."""
    return [("pictures", ("in", archive)), *(("style", ("style", style)) for style in styles)]


def hand_in(client: httpx.Client, archive: bytes, style: bytes, **fields: str | list[str]) -> Json:
    """A batch that is taken."""
    response = client.post("/v1/batches", files=form(archive, style), data=fields)
    assert response.status_code == 202, response.text
    batch = cast("Json", response.json())
    assert response.headers["Location"] == batch["urls"]["self"]
    return batch


def look(client: httpx.Client, batch: Json) -> Json:
    """The batch as it is now; whenever one looks, each picture is counted once."""
    response = client.get(batch["urls"]["self"])
    assert response.status_code == 200, response.text
    now = cast("Json", response.json())
    assert sum(now["counts"].values()) == now["total"]
    return now


def ended(client: httpx.Client, batch: Json, *, within: float = 60.0) -> Json:
    """The batch when all of it has ended."""

    def final() -> Json | None:
        now = look(client, batch)
        return now if now["status"] in FINAL else None

    return cast("Json", eventually(final, within=within, what="the batch ends"))


def features_of(record: bytes) -> Any:
    return Example.FromString(record).features.feature
