"""Batches, the whole way: an archive of photographs goes in, one of paintings comes out."""

import io
import json
from typing import cast

import httpx
import pytest
from redis import Redis

from model.images import decode
from tests.app.api import LONG, SHORT, Json, contents, traces
from tests.app.archives import (
    a_tfrecord,
    a_zip,
    an_example,
    ended,
    features_of,
    hand_in,
    look,
    opened,
    photographs,
    torn,
)
from tests.app.test_delete import NO_JOB, delete_all
from tests.house import eventually
from tests.pictures import photograph
from worker import tfrecords


def sides(painting: bytes) -> tuple[int, int]:
    height, width = decode(painting).pixels.shape[:2]
    return width, height


def jobs_of(client: httpx.Client) -> list[Json]:
    return list(client.get("/v1/jobs", params={"limit": 100}).json()["jobs"])


def of_batches(redis: Redis) -> set[bytes]:
    """What is there of any batch or job."""
    further = (*NO_JOB, b"atelier:feeding")
    return {key for key in contents(redis) if not key.startswith(further)}


@pytest.fixture
def bare(studio: httpx.Client, house_redis: Redis) -> Redis:
    """The house's Valkey without a job."""
    for key in cast("list[bytes]", house_redis.keys("atelier:batch:*")):
        studio.delete(f"/v1/batches/{key.decode().rpartition(':')[2]}")
    delete_all(studio)
    eventually(lambda: not of_batches(house_redis), within=20, what="nothing is left of any job")
    return house_redis


def test_a_zip_is_painted_in_its_order_and_what_fails_is_listed_and_deleting_leaves_nothing(
    studio: httpx.Client, bare: Redis, style: bytes
) -> None:
    files = photographs(3, "deep/")
    broken = {"thin.png": b"\x89PNG\r\n\x1a\n", "torn.png": torn(64, 64)}
    given = files | broken | {"notes.txt": b".", "__MACOSX/._a.jpg": b"."}
    batch = hand_in(studio, a_zip(given), style, **SHORT)
    assert (batch["status"], batch["total"], batch["format"]) == ("running", 5, "zip")
    assert [(f["name"], f["job_id"]) for f in batch["failures"]] == [("thin.png", None)]
    assert studio.get(batch["urls"]["result"]).status_code == 409

    over = ended(studio, batch)
    assert over["status"] == "succeeded"
    assert over["counts"] == {"queued": 0, "running": 0, "succeeded": 3, "failed": 2, "canceled": 0}
    assert over["progress"] == {"fraction": 1.0}
    assert [failure["name"] for failure in over["failures"]] == ["thin.png", "torn.png"]
    jobs = jobs_of(studio)
    failed = next(job for job in jobs if job["status"] == "failed")
    assert over["failures"][1]["job_id"] == failed["id"]
    assert over["failures"][1]["problem"] == failed["error"]

    answer = studio.get(batch["urls"]["result"])
    assert answer.headers["Content-Type"] == "application/zip"
    with opened(answer.content) as result:
        names = [name.replace("jpg", "png") for name in files]
        assert result.namelist() == [*names, "failures.json"]
        widths = [sides(result.read(name)) for name in names]
        told = json.loads(result.read("failures.json"))
    assert widths == [(64, round(64 * 72 / (80 + 4 * n))) for n in range(3)]
    assert told == over["failures"]
    assert answer.content == studio.get(batch["urls"]["result"]).content

    assert studio.delete(batch["urls"]["self"]).status_code == 204
    assert studio.get(batch["urls"]["self"]).status_code == 404
    assert jobs_of(studio) == []
    eventually(lambda: not of_batches(bare), within=20, what="nothing is left of it")


def test_a_tfrecord_keeps_its_order_and_all_other_features(
    studio: httpx.Client, style: bytes
) -> None:
    pictures = list(photographs(3).values())
    records = [an_example(picture, 7 + n) for n, picture in enumerate(pictures)]
    archive = a_tfrecord(records[0], b"no example", *records[1:])
    batch = ended(studio, hand_in(studio, archive, style, **SHORT))
    assert batch["format"] == "tfrecord"
    assert [failure["name"] for failure in batch["failures"]] == ["record 1"]
    answer = studio.get(batch["urls"]["result"])
    found = [features_of(record) for record in tfrecords.records(io.BytesIO(answer.content))]
    assert [f["image/class/label"].int64_list.value[0] for f in found] == [7, 8, 9]
    for picture, feature in zip(pictures, found, strict=True):
        width, height = sides(feature["image/encoded"].bytes_list.value[0])
        assert (width, height) == (64, round(64 * 72 / sides(picture)[0]))
        assert feature["image/format"].bytes_list.value == [b"png"]
        assert feature["image/height"].int64_list.value == [height]
        assert feature["image/box"].float_list.value == [0.25, 0.5]
        assert "image/width" not in feature
    studio.delete(batch["urls"]["self"])


def test_a_canceled_batch_keeps_what_is_painted_and_lets_go_of_its_pictures(
    studio: httpx.Client, bare: Redis, style: bytes
) -> None:
    batch = hand_in(studio, a_zip(photographs(40)), style, **LONG)
    eventually(lambda: look(studio, batch)["counts"]["running"], within=60, what="it begins")
    assert len(jobs_of(studio)) < 40, "the others wait beside the queue"
    canceled = studio.post(batch["urls"]["cancel"]).json()
    assert canceled["counts"]["queued"] == 0
    over = ended(studio, batch, within=20)
    assert (over["status"], over["counts"]["canceled"]) == ("canceled", 40)
    assert studio.post(batch["urls"]["cancel"]).json() == over
    refused = studio.get(batch["urls"]["result"])
    assert (refused.status_code, refused.json()["type"][-9:]) == (409, "no-result")

    def kept() -> list[bytes]:
        return cast("list[bytes]", bare.keys("atelier:users:*"))

    eventually(lambda: len(kept()) == 1, within=20, what="only the manifest is kept")
    studio.delete(batch["urls"]["self"])
    eventually(lambda: not of_batches(bare), within=20, what="nothing is left of it")


def test_deleting_a_batch_that_is_being_painted_leaves_nothing(
    studio: httpx.Client, bare: Redis, style: bytes
) -> None:
    batch = hand_in(studio, a_zip(photographs(3)), style, **LONG)
    eventually(lambda: look(studio, batch)["counts"]["running"], within=60, what="it begins")
    assert studio.delete(batch["urls"]["self"]).status_code == 204
    eventually(lambda: not of_batches(bare), within=20, what="nothing is left of it")
    assert not traces(bare, [batch["id"]])


def test_a_picture_whose_painting_was_deleted_is_told_of_in_the_result(
    studio: httpx.Client, style: bytes
) -> None:
    files = photographs(2)
    batch = ended(studio, hand_in(studio, a_zip(files), style, **SHORT))
    second, first = jobs_of(studio)[:2]  # the newest comes first
    studio.delete(second["urls"]["self"])
    with opened(studio.get(batch["urls"]["result"]).content) as result:
        assert result.namelist() == ["2 town.png", "failures.json"]
        (told,) = json.loads(result.read("failures.json"))
    assert (told["name"], told["job_id"]) == ("1 town.jpg", second["id"])
    studio.delete(first["urls"]["self"])
    gone = studio.get(batch["urls"]["result"])
    assert (gone.status_code, gone.json()["type"][-14:]) == (410, "result-expired")
    studio.delete(batch["urls"]["self"])


def test_a_failed_picture_of_a_batch_can_be_tried_again_by_itself(
    studio: httpx.Client, style: bytes
) -> None:
    files = {"whole.jpg": photograph(64, 64), "torn.png": torn(80, 64)}
    batch = ended(studio, hand_in(studio, a_zip(files), style, **SHORT))
    job = batch["failures"][0]["job_id"]
    assert studio.post(f"/v1/jobs/{job}/retry").status_code == 200
    assert look(studio, batch)["status"] in {"running", "succeeded"}
    again = ended(studio, batch)
    assert again["counts"]["failed"] == 1
    studio.delete(batch["urls"]["self"])
