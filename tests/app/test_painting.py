"""Jobs that are really painted, through HTTP, in a whole house."""

import hashlib
import io
import time
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from redis import Redis

from tests.app.api import (
    LONG,
    SHORT,
    Files,
    Json,
    ended,
    look,
    masked,
    painted,
    painting,
    pictures,
    problem,
    submit,
    traces,
)
from tests.house import eventually
from tests.pictures import halves, photograph, style_picture


def test_a_job_goes_the_whole_way_to_a_picture(studio: httpx.Client, files: Files) -> None:
    job = ended(studio, submit(studio, files, **SHORT))
    assert (job["status"], job["attempt"], job["queue_position"]) == ("succeeded", 1, None)
    assert job["error"] is None
    assert job["features"]["name"] == "bundled"
    assert len(job["features"]["sha256"]) == 64
    times = [datetime.fromisoformat(job[f"{name}_at"]) for name in
             ("created", "started", "finished", "expires")]  # fmt: skip
    assert times == sorted(times)
    progress = job["progress"]
    assert (progress["step"], progress["steps"], progress["fraction"]) == (3, 3, 1.0)
    assert progress["loss"] > 0

    response = studio.get(job["urls"]["result"])
    assert response.status_code == 200
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (64, 48))
    size = {"width": 64, "height": 48, "format": "png", "bytes": len(response.content)}
    assert job["result"] == size


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_the_result_has_the_format_that_was_asked_for(
    studio: httpx.Client, files: Files, kind: str
) -> None:
    job = ended(studio, submit(studio, files, **(SHORT | {"format": kind})))
    response = studio.get(job["urls"]["result"])
    assert response.headers["Content-Type"] == f"image/{kind}"
    assert job["id"][:8] in response.headers["Content-Disposition"]
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.format == kind.upper()


def test_the_same_seed_paints_the_same_bytes_and_another_seed_others(
    studio: httpx.Client, files: Files
) -> None:
    noise = {"init": "noise", "seed": "5"}
    assert painted(studio, files, **noise) == painted(studio, files, **noise)
    assert painted(studio, files, **noise) != painted(studio, files, **(noise | {"seed": "6"}))


def test_the_style_is_that_of_the_style_picture(
    studio: httpx.Client, content: bytes, style: bytes
) -> None:
    plain = style_picture(80, 80)
    with Image.open(io.BytesIO(plain)) as picture:
        red = Image.new("RGB", picture.size, (220, 20, 20))
    buffer = io.BytesIO()
    red.save(buffer, "PNG")
    steps = {"steps": "20"}
    reds = mean_colour(painted(studio, pictures(content, buffer.getvalue()), **steps))
    blues = mean_colour(painted(studio, pictures(content, style), **steps))
    assert reds[0] - reds[2] > blues[0] - blues[2] + 20


def test_each_region_takes_its_style_from_the_region_of_the_same_colour(
    studio: httpx.Client,
) -> None:
    content, style = photograph(64, 48), halves(64, 64, "#dc1414", "#1432c8")
    mask = halves(32, 32, "#ff0000", "#00ff00")
    there, mirrored = halves(64, 48, "#ff0000", "#00ff00"), halves(64, 48, "#00ff00", "#ff0000")
    for content_mask, sign in ((there, 1), (mirrored, -1)):
        files = masked(content, style, content_mask, mask)
        left, right = np.hsplit(pixels(painted(studio, files, steps="20")), 2)
        redder = (left - right).mean((0, 1))[0] - (left - right).mean((0, 1))[2]
        assert sign * redder > 60


def test_deleting_a_job_with_masks_leaves_nothing_of_it_or_its_files(
    studio: httpx.Client, house_redis: Redis
) -> None:
    masks = halves(64, 48, "#ff0000", "#00ff00"), halves(80, 80, "#ff0000", "#00ff00")
    files = masked(photograph(64, 48), style_picture(81, 81), *masks)
    digests = [hashlib.sha256(data).hexdigest() for _, (_, data) in files]
    running = painting(studio, submit(studio, files, **LONG))
    for digest in digests:
        assert traces(house_redis, [digest]), "stored under its hash"
    ends = submit(studio, files, **SHORT)
    studio.post(running["urls"]["cancel"])
    ends = ended(studio, ends)
    assert ends["status"] == "succeeded", ends["error"]
    for job in (running, ends):
        assert studio.delete(job["urls"]["self"]).status_code == 204
    names = [running["id"], ends["id"], *digests]
    eventually(lambda: not traces(house_redis, names), within=3, what="no trace is left")


def test_a_region_without_a_style_of_its_own_ends_the_job_with_a_reason(
    studio: httpx.Client, files: Files
) -> None:
    content, style = (data for _, (_, data) in files)
    masks = halves(96, 72, "#ff0000", "#00ff00"), halves(80, 80, "#ff0000", "#0000ff")
    job = ended(studio, submit(studio, masked(content, style, *masks), **SHORT))
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"]["type"] == "urn:atelier:problem:invalid-parameter"
    assert "#00ff00" in job["error"]["detail"]


def test_the_result_keeps_the_alpha_of_the_photograph(studio: httpx.Client, style: bytes) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 20:] = 255
    alpha[:, 16:20] = 100
    cutout = with_alpha(photograph(64, 48), alpha)
    result = pixels(painted(studio, pictures(cutout, style)))
    np.testing.assert_array_equal(result[..., 3], alpha)
    flat = pixels(painted(studio, pictures(cutout, style), format="jpeg"))
    assert flat.shape == (48, 64, 3)
    assert flat[:, :12].min() > 240, "white, where nothing is"
    assert flat[:, 24:].mean() < 240


def test_a_picture_that_is_transparent_everywhere_ends_the_job_and_not_the_worker(
    studio: httpx.Client, style: bytes
) -> None:
    nothing = with_alpha(photograph(64, 48), np.zeros((48, 64), np.uint8))
    for content, its_style in ((nothing, style), (style, nothing)):
        job = ended(studio, submit(studio, pictures(content, its_style), **SHORT))
        assert (job["status"], job["attempt"]) == ("failed", 1)
        assert job["error"]["type"] == "urn:atelier:problem:invalid-parameter"


def with_alpha(picture: bytes, alpha: "np.ndarray[Any, Any]") -> bytes:
    with Image.open(io.BytesIO(picture)) as image:
        rgba = image.convert("RGBA")
    rgba.putalpha(Image.fromarray(alpha))
    buffer = io.BytesIO()
    rgba.save(buffer, "PNG")
    return buffer.getvalue()


def pixels(picture: bytes) -> "np.ndarray[Any, Any]":
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image).astype(np.int32)


def mean_colour(picture: bytes) -> list[float]:
    with Image.open(io.BytesIO(picture)) as image:
        return [float(x) for x in np.asarray(image.convert("RGB")).mean((0, 1))]


def test_a_preview_is_shown_while_the_job_is_painted(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    eventually(lambda: look(studio, job)["progress"]["preview_version"], within=10, what="preview")
    response = studio.get(job["urls"]["preview"])
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 48))
    assert "running" in problem(studio.get(job["urls"]["result"]), 409)["detail"]


def test_the_loss_curve_is_that_of_the_whole_painting(studio: httpx.Client, files: Files) -> None:
    job = ended(studio, submit(studio, files, **(SHORT | {"steps": "12"})))
    response = studio.get(job["urls"]["losses"])
    assert response.headers["Content-Type"] == "application/json"
    ((name, points),) = response.json().items()
    assert name == "points"
    assert [point["step"] for point in points] == list(range(12))
    for point in points:
        parts = point["content"] + point["style"] + point["tv"]
        assert point["total"] == pytest.approx(parts)
    assert points[-1]["total"] < points[0]["total"]
    assert job["progress"]["restarts"] == 0


def test_the_loss_curve_is_there_as_soon_as_a_preview(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    eventually(lambda: look(studio, job)["progress"]["preview_version"], within=10, what="preview")
    (first, *_) = studio.get(job["urls"]["losses"]).json()["points"]
    assert first["step"] == 0


def test_progress_grows_while_the_job_is_painted(studio: httpx.Client, files: Files) -> None:
    before = painting(studio, submit(studio, files, **LONG))["progress"]

    def grown(job: Json) -> bool:
        now: Json = look(studio, job)["progress"]
        return bool(now["step"] > before["step"] and now["fraction"] > before["fraction"])

    (job,) = studio.get("/v1/jobs", params={"status": "running"}).json()["jobs"]
    eventually(lambda: grown(job), within=10, what="progress grows")
    assert 0 < look(studio, job)["progress"]["eta_seconds"] < 3600


def test_a_running_job_stops_soon_after_it_is_canceled_and_stays_canceled(
    studio: httpx.Client, files: Files
) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    assert studio.post(job["urls"]["cancel"]).status_code == 200
    job = ended(studio, job, within=3)
    assert (job["status"], job["result"], job["error"]) == ("canceled", None, None)
    painted(studio, files)  # by the device that is free again
    assert look(studio, job) == job
    problem(studio.get(job["urls"]["result"]), 409)


def test_a_finished_job_cannot_be_canceled(studio: httpx.Client, files: Files) -> None:
    job = ended(studio, submit(studio, files, **SHORT))
    response = studio.post(job["urls"]["cancel"])
    assert (response.status_code, response.json()) == (200, job)
    assert studio.get(job["urls"]["result"]).status_code == 200


def test_an_urgent_job_is_painted_before_one_that_waited_longer(
    studio: httpx.Client, files: Files
) -> None:
    running = painting(studio, submit(studio, files, **LONG))
    patient = submit(studio, files, **SHORT)
    urgent = submit(studio, files, **SHORT, priority="high")
    studio.post(running["urls"]["cancel"])
    assert ended(studio, urgent)["started_at"] < ended(studio, patient)["started_at"]


def test_jobs_that_wait_are_painted_in_their_order(studio: httpx.Client, files: Files) -> None:
    jobs = [submit(studio, files, **SHORT) for _ in range(4)]
    started = [ended(studio, job)["started_at"] for job in jobs]
    assert started == sorted(started)


def test_a_job_whose_pictures_are_gone_fails_with_a_reason(
    studio: httpx.Client, house_redis: Redis, style: bytes
) -> None:
    content = photograph(70, 50)
    running = painting(studio, submit(studio, pictures(content, style), **LONG))
    job = submit(studio, pictures(content, style), **SHORT)
    (upload,) = traces(house_redis, [hashlib.sha256(content).hexdigest()]) & {
        b"atelier:upload:" + hashlib.sha256(content).hexdigest().encode()
    }
    house_redis.delete(upload)
    studio.post(running["urls"]["cancel"])
    job = ended(studio, job)
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"]["type"] == "urn:atelier:problem:painting-failed"
    assert "expired" in job["error"]["detail"]
    assert "failed" in problem(studio.get(job["urls"]["result"]), 409)["detail"]


def test_deleting_a_finished_job_leaves_nothing_that_names_it(
    studio: httpx.Client, house_redis: Redis, files: Files
) -> None:
    job = ended(studio, submit(studio, files, **SHORT))
    assert traces(house_redis, [job["id"]])
    assert studio.delete(job["urls"]["self"]).status_code == 204
    problem(studio.get(job["urls"]["result"]), 404)
    assert traces(house_redis, [job["id"]]) == set()


def test_deleting_a_running_job_ends_it_and_leaves_nothing_that_names_it(
    studio: httpx.Client, house_redis: Redis, files: Files
) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    assert studio.delete(job["urls"]["self"]).status_code == 204
    painted(studio, files)  # by the device that is free again
    problem(studio.get(job["urls"]["self"]), 404)
    eventually(lambda: not traces(house_redis, [job["id"]]), within=3, what="no trace is left")


def test_a_job_is_taken_in_a_moment_while_another_is_painted(
    studio: httpx.Client, files: Files
) -> None:
    painting(studio, submit(studio, files, **LONG))
    began = time.monotonic()
    submit(studio, files, **SHORT)
    assert time.monotonic() - began < 1
