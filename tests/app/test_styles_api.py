"""/v1/styles, and jobs that ask for a style by its name."""

import hashlib
import io
from typing import Any

import httpx
import pytest
from PIL import Image
from redis import Redis
from rq.job import Job

from app.presets import PRESETS
from tests.app.api import Files, contents, pictures, problem, submit


def listed(api: httpx.Client) -> list[dict[str, Any]]:
    response = api.get("/v1/styles")
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["styles"]
    return found


def uploads(redis: Redis) -> set[str]:
    return {key.decode().rpartition(":")[2] for key in contents(redis) if b":upload:" in key}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_at_least_twelve_styles_are_listed_each_in_words(api: httpx.Client) -> None:
    styles = listed(api)
    assert len({style["name"] for style in styles}) == len(styles) >= 12
    assert all(len(style["description"].split()) >= 5 for style in styles)


def test_every_style_has_its_picture_of_the_size_that_is_said(api: httpx.Client) -> None:
    for style in listed(api):
        response = api.get(style["urls"]["picture"])
        assert response.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == (style["width"], style["height"])
            assert max(image.size) == 1024


def test_all_thumbnails_together_are_smaller_than_one_photograph(api: httpx.Client) -> None:
    total = 0
    for style in listed(api):
        response = api.get(style["urls"]["thumbnail"])
        with Image.open(io.BytesIO(response.content)) as image:
            ratio = image.width / image.height
            assert max(image.size) == 320
            assert ratio == pytest.approx(style["width"] / style["height"], abs=0.01)
        total += len(response.content)
    assert total < 1_000_000


@pytest.mark.parametrize(
    "name", ["nothing", "Aurora", "..", "aurora.jpg", "%2e%2e%2fform.py", "%00"]
)
def test_a_style_that_is_not_there_is_said_so_with_those_that_are(
    api: httpx.Client, name: str
) -> None:
    for path in (f"/v1/styles/{name}/thumbnail", f"/v1/styles/{name}"):
        found = problem(api.get(path), 404)
        assert "starlight" in found["detail"] or found["type"].endswith(":not-found")


def test_a_job_may_ask_for_a_style_by_its_name(
    api: httpx.Client, redis: Redis, content: bytes
) -> None:
    submit(api, pictures(content), style_preset="woodcut")
    assert uploads(redis) == {digest(content), digest(PRESETS["woodcut"].picture)}


def test_styles_by_name_come_after_those_that_were_brought(
    api: httpx.Client, redis: Redis, content: bytes, style: bytes
) -> None:
    names, shares = ["ink", "glass"], ["1", "2", "3"]
    job = submit(api, pictures(content, style), style_preset=names, style_weights=shares)
    work = Job.fetch(job["id"], connection=redis, serializer="json").kwargs
    files = [style, *(PRESETS[name].picture for name in names)]
    assert work["styles"] == [digest(file) for file in files]


def test_a_style_of_an_unknown_name_is_refused_with_those_that_are_known(
    api: httpx.Client, content: bytes
) -> None:
    response = api.post("/v1/jobs", files=pictures(content), data={"style_preset": "nothing"})
    assert "starlight" in problem(response, 422, field="style_preset")["detail"]


def test_neither_a_style_nor_a_name_is_refused(api: httpx.Client, content: bytes) -> None:
    problem(api.post("/v1/jobs", files=pictures(content)), 422, field="style")


def test_nine_styles_of_both_kinds_are_refused(
    api: httpx.Client, content: bytes, style: bytes
) -> None:
    files: Files = pictures(content, *[style] * 5)
    response = api.post(
        "/v1/jobs", files=files, data={"style_preset": ["ink", "glass", "waves", "weave"]}
    )
    problem(response, 422, field="style")
