"""What is no batch is refused at the door, with a reason, and costs nothing."""

import math
import os
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import httpx
import pytest
from redis import Redis

from tests.app.api import api_process, contents, problem, serving
from tests.app.archives import (
    a_tfrecord,
    a_zip,
    an_example,
    form,
    hand_in,
    photographs,
)
from tests.app.locked import ADMIN, ANNA, BERT, holding, locked_api
from tests.pictures import photograph
from worker.batches.removal import BatchRemoval
from worker.jobs import Jobs
from worker.settings import Settings
from worker.tf_example import Example

ONE = photographs(1)


def encrypted() -> bytes:
    """The mark of encryption, in both headers."""
    data = bytearray(a_zip(ONE))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def lying() -> bytes:
    """A hundred million bytes of an entry that is said to have twenty thousand."""
    data = bytearray(a_zip({"bomb.png": bytes(100_000_000)}, zipfile.ZIP_DEFLATED))
    size, said = struct.pack("<I", 100_000_000), struct.pack("<I", 20_000)
    assert data.count(size) == 2
    return bytes(data.replace(size, said))


def changed(archive: bytes) -> bytes:
    """A few bytes in the middle of the first picture are others."""
    return archive[:300] + bytes(20) + archive[320:]


def endless_table() -> bytes:
    """A table of contents of as many bytes as a zip may say."""
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, 0x7FFFFFFF, 0, 0)
    return a_zip(ONE)[:-22] + end


def crowded_table() -> bytes:
    """A picture, and more entries beside it than operating systems put there."""
    return a_zip(ONE | {f"{n}.txt": b"" for n in range(16)})


def wordy_table() -> bytes:
    """A picture, and three names that are as long as a zip may say."""
    return a_zip(ONE | {f"{n}{'x' * 65_000}.txt": b"" for n in range(3)})


def crowded_record() -> bytes:
    """A picture, and more beside it than there is room for."""
    record = Example.FromString(an_example(photograph(64, 64), 1))
    record.features.feature["pixels"].int64_list.value.extend([1] * 1_200_000)
    return a_tfrecord(record.SerializeToString())


RECORD = a_tfrecord(an_example(photograph(64, 64), 1))

REFUSED: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "no archive": (lambda: photograph(64, 64), 415, "unsupported-picture"),
    "nothing": (lambda: b"", 415, "unsupported-picture"),
    "a compressed tfrecord": (lambda: b"\x1f\x8b" + bytes(99), 415, "unsupported-picture"),
    "an empty zip": (lambda: a_zip({}), 422, "batch-size"),
    "no picture": (lambda: a_zip({"notes.txt": b"."}), 422, "batch-size"),
    "none that is taken": (lambda: a_zip({"a.png": b"GIF89a"}), 422, "batch-size"),
    "no example": (lambda: a_tfrecord(b"\x00" * 9), 422, "batch-size"),
    "an encrypted entry": (encrypted, 422, "broken-archive"),
    "a damaged entry": (lambda: changed(a_zip(ONE)), 422, "broken-archive"),
    "an entry packed in another way": (
        lambda: a_zip(ONE, zipfile.ZIP_LZMA),
        422,
        "broken-archive",
    ),
    "a name that leads out": (lambda: a_zip({"a/../../b.jpg": b"."}), 422, "broken-archive"),
    "an absolute name": (lambda: a_zip({"/b.jpg": b"."}), 422, "broken-archive"),
    "a name for Windows": (lambda: a_zip({"a\\..\\b.jpg": b"."}), 422, "broken-archive"),
    "a zip that is cut off": (lambda: a_zip(ONE)[:-30], 422, "broken-archive"),
    "an endless table of contents": (endless_table, 422, "broken-archive"),
    "a crowded table of contents": (crowded_table, 422, "broken-archive"),
    "a wordy table of contents": (wordy_table, 422, "broken-archive"),
    "a name that is too long": (
        lambda: a_zip({"é" * 511 + ".jpg": photograph(64, 64)}),
        422,
        "broken-archive",
    ),
    "a crowded record": (crowded_record, 422, "batch-size"),
    "a damaged record": (lambda: RECORD + changed(RECORD), 422, "broken-archive"),
    "a record that is cut off": (lambda: RECORD[:-3], 422, "broken-archive"),
    "a picture that is too large": (
        lambda: a_zip({"a.png": bytes(2_000_001)}, zipfile.ZIP_DEFLATED),
        422,
        "picture-size",
    ),
    "a bomb": (lying, 422, "broken-archive"),
    "too many bytes": (
        lambda: a_zip({f"{n}.png": bytes(1_900_000) for n in range(3)}, zipfile.ZIP_DEFLATED),
        422,
        "batch-size",
    ),
    "too many bytes that are no picture's": (
        lambda: a_zip(ONE | {"notes.txt": bytes(5_000_000)}),
        422,
        "batch-size",
    ),
    "too many pictures": (lambda: a_zip(photographs(5)), 422, "batch-size"),
    "too many records": (lambda: RECORD * 5, 422, "batch-size"),
}


@pytest.fixture(scope="module")
def strict_api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An API that takes four pictures at a time, of two million bytes each."""
    with serving(
        redis_url,
        tmp_path_factory.mktemp("strict"),
        ATELIER_MAX_BATCH_PICTURES="4",
        ATELIER_MAX_UPLOAD_BYTES="2000000",
        ATELIER_MAX_BATCH_BYTES="5000000",
    ) as client:
        yield client


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_a_reason_and_nothing_is_stored(
    strict_api: httpx.Client, redis: Redis, style: bytes, what: str
) -> None:
    make, status, kind = REFUSED[what]
    answer = strict_api.post("/v1/batches", files=form(make(), style))
    assert problem(answer, status)["type"] == f"urn:atelier:problem:{kind}"
    assert contents(redis) == {}


def test_fields_that_a_batch_has_not_and_styles_that_are_not_taken_are_named(
    api: httpx.Client, redis: Redis, style: bytes
) -> None:
    archive = a_zip(ONE)
    for field, value in {"webhook_url": "https://a.example", "reuse": "true", "size": "1"}.items():
        answer = api.post("/v1/batches", files=form(archive, style), data={field: value})
        problem(answer, 422, field=field)
    problem(api.post("/v1/batches", files=form(archive)), 422)
    problem(api.post("/v1/batches", files=form(archive, b"GIF89a")), 415, field="style")
    problem(api.post("/v1/batches", files=form(archive, *[style] * 9)), 422)
    costly = {"size": "4096", "steps": "5000", "preset": "gatys"}
    problem(api.post("/v1/batches", files=form(archive, style), data=costly), 422, field="size")
    problem(api.post("/v1/batches", json={}), 415)
    assert contents(redis) == {}


def test_styles_are_counted_before_they_are_looked_at(
    strict_api: httpx.Client, redis: Redis, style: bytes
) -> None:
    files = form(a_zip(ONE), bytes(2_000_001), *[style] * 8)
    answer = strict_api.post("/v1/batches", files=files)
    assert "Received: 9." in problem(answer, 422, field="style")["detail"]
    assert contents(redis) == {}


def test_a_folder_with_a_name_like_a_picture_is_none(
    api: httpx.Client, redis: Redis, style: bytes
) -> None:
    del redis
    batch = hand_in(api, a_zip({"album.jpg/": b""} | photographs(1, "album.jpg/")), style)
    assert (batch["total"], batch["failures"]) == (1, [])


def test_a_full_disk_is_no_fault_of_the_form(
    redis_url: str, redis: Redis, tmp_path: Path, style: bytes
) -> None:
    large, disk = form(bytes(2_000_000), style), tmp_path / "disk"
    disk.mkdir()
    with serving(redis_url, tmp_path, TMPDIR=str(disk)) as client:
        problem(client.post("/v1/batches", files=large), 415)
        disk.rmdir()  # like a full one, it takes no files
        answer = client.post("/v1/batches", files=large)
        assert problem(answer, 503)["type"].endswith("queue-full")
        assert answer.headers["Retry-After"]
    assert contents(redis) == {}


def test_what_there_is_no_room_for_is_not_half_taken(
    redis_url: str, redis: Redis, tmp_path: Path, style: bytes
) -> None:
    archive = a_zip(photographs(4))
    with serving(redis_url, tmp_path, ATELIER_MAX_QUEUED_BYTES="5000") as client:
        answer = client.post("/v1/batches", files=form(archive, style))
        assert problem(answer, 503)["type"].endswith("queue-full")
        assert contents(redis) == {}
    with serving(redis_url, tmp_path, ATELIER_MAX_JOBS_PER_CLIENT="1") as client:
        first = hand_in(client, archive, style)
        answer = client.post("/v1/batches", files=form(archive, style))
        assert problem(answer, 429)["type"].endswith("too-many-jobs")
        client.delete(first["urls"]["self"])
        hand_in(client, archive, style)  # there is room again, before a worker has removed it


def test_a_batch_of_somebody_else_is_not_there(
    redis_url: str, redis: Redis, tmp_path: Path, style: bytes
) -> None:
    del redis
    with (
        locked_api(redis_url, tmp_path) as client,
        holding(client, ANNA) as anna,
        holding(client, BERT) as bert,
        holding(client, ADMIN) as admin,
    ):
        batch = hand_in(anna, a_zip(ONE), style)
        urls = batch["urls"]
        for method, url in (
            ("GET", urls["self"]),
            ("GET", urls["result"]),
            ("POST", urls["cancel"]),
            ("DELETE", urls["self"]),
        ):
            answer = bert.request(method, url)
            assert problem(answer, 404)["type"].endswith("no-such-batch")
        assert admin.get(urls["self"]).json() == batch
        assert anna.delete(urls["self"]).status_code == 204


def test_a_batch_before_its_first_job_waits_and_can_be_canceled_and_deleted(
    api: httpx.Client, redis: Redis, settings: Settings, style: bytes
) -> None:
    batch = hand_in(api, a_zip(photographs(3)), style, size="64")
    assert (batch["status"], batch["counts"]["queued"]) == ("queued", 3)
    assert batch["params"]["size"] == 64
    lasting = {b"atelier:sizes", b"atelier:open-batches"}  # which end with their last entry
    assert {key for key in redis.scan_iter() if redis.ttl(key) < 0} == lasting
    over = api.post(batch["urls"]["cancel"]).json()
    assert (over["status"], over["counts"]["canceled"]) == ("canceled", 3)
    assert over["finished_at"] < over["expires_at"]
    assert api.delete(batch["urls"]["self"]).status_code == 204
    for method in ("GET", "DELETE"):
        problem(api.request(method, batch["urls"]["self"]), 404)
    BatchRemoval(Jobs(redis, settings)).go_on(batch["id"], math.inf)  # as a worker does
    assert contents(redis) == {}


# Memory.


def write_large_zip(file: IO[bytes]) -> int:
    """A hundred photographs, each with a million bytes that nobody looks at."""
    picture = photograph(64, 64)
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(100):
            comments = (b"\xff\xfe\xff\xff" + os.urandom(65_533) for _ in range(16))
            archive.writestr(f"{number}.jpg", picture[:2] + b"".join(comments) + picture[2:])
    return file.tell()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_of_an_archive_of_a_hundred_megabytes_one_picture_at_a_time_is_in_memory(
    redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    del redis
    vault = f"file://{tmp_path}/vault"
    with api_process(redis_url, tmp_path, ATELIER_BLOBS_URL=vault) as (process, client):
        client.post("/v1/batches", files=form(a_zip(ONE)), data={"style_preset": "woodcut"})
        before = peak_bytes(process.pid)
        with (tmp_path / "in.zip").open("w+b") as file:
            assert write_large_zip(file) > 100_000_000
            file.seek(0)
            files = {"pictures": ("in.zip", file)}
            answer = client.post(
                "/v1/batches", files=files, data={"style_preset": "woodcut"}, timeout=120
            )
        assert answer.status_code == 202, answer.text
        assert answer.json()["counts"]["queued"] == 100
        assert peak_bytes(process.pid) - before < 30_000_000


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_a_batch_that_is_sent_again_with_its_key_has_the_first_answer(
    api: httpx.Client, style: bytes
) -> None:
    def send(archive: bytes) -> httpx.Response:
        return api.post(
            "/v1/batches", files=form(archive, style), headers={"Idempotency-Key": "mine"}
        )

    first, again = send(a_zip(ONE)), send(a_zip(ONE))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    refused = problem(send(a_zip(photographs(2))), 422, field="Idempotency-Key")
    assert refused["type"].endswith("idempotency-key-reused")
