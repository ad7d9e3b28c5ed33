"""What people and programs send by mistake or on purpose.

Each either works as a person expects, or is refused by name, at once, with nothing stored: a job
that is not there cannot be stuck.
"""

import io
import struct
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import UploadFile
from PIL import Image, ImageOps
from redis import Redis

from app.dependencies import Caller
from app.form import JobForm
from model.door import DEFAULT_LIMITS
from model.errors import InputError
from tests.app.api import (
    SHORT,
    Fields,
    Files,
    contents,
    masked,
    painted,
    pictures,
    problem,
    submit,
)
from tests.pictures import halves, photograph, style_picture

CONTENT = photograph(96, 72)
STYLE = style_picture(80, 80)
FORM = pictures(CONTENT, STYLE)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def animated_gif() -> bytes:
    frames = [Image.new("L", (64, 64), shade) for shade in (0, 128, 255)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def huge_png() -> bytes:
    """A whole PNG of 20,000 x 20,000 pixels in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    packer, row = zlib.compressobj(1), bytes(1 + 20_000 // 8)
    packed = b"".join([*(packer.compress(row) for _ in range(20_000)), packer.flush()])
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def refuse(api: httpx.Client, redis: Redis) -> "Refuse":
    return Refuse(api, redis)


@dataclass
class Refuse:
    """Sends a request that must be refused within a second, and leave nothing behind."""

    api: httpx.Client
    redis: Redis

    def __call__(
        self, status: int, named: str | None, data: Fields | None = None, **request: Any
    ) -> str:
        began = time.monotonic()
        response = self.api.post("/v1/jobs", data=data, **request)
        assert time.monotonic() - began < 3.0
        found = problem(response, status, field=named)
        assert len(response.content) < 5000
        assert contents(self.redis) == {}
        return str(found["detail"])


# Pictures.


BAD_PICTURES: dict[str, tuple[bytes, int, str]] = {
    "a text": (b"This is not a picture.\n", 415, "a text"),
    "an empty file": (b"", 415, "an empty file"),
    "a JPEG cut off": (CONTENT[: len(CONTENT) // 2], 422, "cut off"),
    "a PNG cut off": (STYLE[:-20], 422, "cut off"),
    "one pixel": (saved(Image.new("RGB", (1, 1)), "PNG"), 422, "1 x 1 pixels"),
    "a line": (saved(Image.new("RGB", (16, 800)), "PNG"), 422, "16 x 800 pixels"),
    "an animated GIF": (animated_gif(), 415, "a GIF"),
    "400 megapixels": (huge_png(), 422, "20000 x 20000 pixels"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "an SVG"),
    "null bytes": (bytes(1000), 415, "unknown"),
    "a JPEG's first bytes": (b"\xff\xd8\xff", 422, "JPEG"),
    "a job in place of a picture": (b'{"size": 64}', 415, "a text"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_content_picture_is_refused_that_is(refuse: Refuse, name: str) -> None:
    data, status, said = BAD_PICTURES[name]
    assert said in refuse(status, "content", files=pictures(data, STYLE))


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_style_picture_is_refused_that_is(refuse: Refuse, name: str) -> None:
    data, status, said = BAD_PICTURES[name]
    assert said in refuse(status, "style", files=pictures(CONTENT, STYLE, data))


def test_a_file_is_known_by_its_bytes_whatever_its_name_and_type_say(refuse: Refuse) -> None:
    lying = ("content", ("photo.jpg", b"#!/bin/sh\n", "image/jpeg"))
    refuse(415, "content", files=[lying, *FORM[1:]])


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\0b.png", "x" * 200, "日本.png", '"; rm'])
def test_the_name_of_a_file_does_not_matter(api: httpx.Client, name: str) -> None:
    submit(api, [("content", (name, CONTENT)), ("style", (name, STYLE))])


# Masks.

RED_BLUE = halves(48, 36, "#ff0000", "#0000ff")
SQUARE = halves(40, 40, "#ff0000", "#0000ff")


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_mask_is_refused_that_is(refuse: Refuse, name: str) -> None:
    data, status, said = BAD_PICTURES[name]
    assert said in refuse(status, "content_mask", files=masked(CONTENT, STYLE, data, SQUARE))
    assert said in refuse(status, "style_mask", files=masked(CONTENT, STYLE, RED_BLUE, data))


def test_a_mask_of_other_proportions_than_its_picture_is_refused(refuse: Refuse) -> None:
    detail = refuse(422, "content_mask", files=masked(CONTENT, STYLE, SQUARE, SQUARE))
    assert "the proportions of its picture, 96x72" in detail
    assert detail.endswith("Received: 40x40.")
    refuse(422, "style_mask", files=masked(CONTENT, STYLE, RED_BLUE, RED_BLUE))


def test_each_style_mask_is_held_against_its_own_style(refuse: Refuse) -> None:
    files = [*masked(CONTENT, STYLE, RED_BLUE, SQUARE), ("style", ("wide", CONTENT))]
    wrong, right = ("style_mask", ("mask", SQUARE)), ("style_mask", ("mask", RED_BLUE))
    assert "its picture, 96x72" in refuse(422, "style_mask", files=[*files, wrong])
    submit(refuse.api, [*files, right])


@pytest.mark.parametrize(
    ("content_masks", "style_masks", "field"),
    [(0, 1, "content_mask"), (1, 0, "style_mask"), (1, 2, "style_mask"), (2, 1, "content_mask")],
)
def test_masks_come_together_or_are_refused(
    refuse: Refuse, content_masks: int, style_masks: int, field: str
) -> None:
    files = [("content_mask", ("mask", RED_BLUE))] * content_masks
    files += [("style_mask", ("mask", SQUARE))] * style_masks
    refuse(422, field, files=[*FORM, *files])


def test_a_text_in_place_of_a_mask_is_refused(refuse: Refuse) -> None:
    refuse(422, "content_mask", {"content_mask": "town.jpg"}, files=FORM)


def test_masks_that_were_not_chosen_in_a_browser_are_none(api: httpx.Client) -> None:
    parts = {"content": CONTENT, "style": STYLE, "content_mask": b"", "style_mask": b""}
    body = b""
    for name, data in parts.items():
        file = f'name="{name}"; filename="{name if data else ""}"'.encode()
        body += b"--b\r\nContent-Disposition: form-data; " + file + b"\r\n\r\n" + data + b"\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = api.post("/v1/jobs", content=body + b"--b--\r\n", headers=headers)
    assert response.status_code == 202, response.text


def test_a_mask_fits_a_photograph_as_it_is_seen(api: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    sideways = saved(opened(CONTENT).convert("RGB"), "JPEG", exif=exif)
    upright = halves(36, 48, "#ff0000", "#0000ff")
    submit(api, masked(sideways, STYLE, upright, SQUARE))


# Parameters. Each at its bounds and beyond them is in `tests/app/hostile`.


def test_every_field_at_fault_is_named_at_once(refuse: Refuse) -> None:
    detail = refuse(422, "size", {"size": "1", "seed": "x", "colour": "blue"}, files=FORM)
    assert "seed" in detail
    assert "colour" in detail


def test_a_refusal_says_what_was_received(refuse: Refuse) -> None:
    assert refuse(422, "size", {"size": "99999"}, files=FORM).endswith("Received: '99999'")


def test_a_field_that_does_not_exist_is_refused_by_name_when_it_is_a_file(refuse: Refuse) -> None:
    refuse(422, "mask", files=[*FORM, ("mask", ("mask", STYLE))])


@pytest.mark.parametrize("name", ["size", "steps", "preset", "style_weights", "priority", "format"])
def test_a_field_left_blank_in_a_form_has_its_default(api: httpx.Client, name: str) -> None:
    assert submit(api, FORM, **{name: ""})["params"] == submit(api, FORM)["params"]


# Too few, too many.


def test_a_missing_content_picture_is_named(refuse: Refuse) -> None:
    refuse(422, "content", files=FORM[1:])


def test_a_missing_style_picture_is_named(refuse: Refuse) -> None:
    refuse(422, "style", files=FORM[:1])


def test_a_file_that_was_not_chosen_in_a_browser_is_missing(refuse: Refuse) -> None:
    boundary = b"--b\r\nContent-Disposition: form-data; name="
    empty = b'; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    body = boundary + b'"content"' + empty + boundary + b'"style"' + empty + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    refuse(422, "content", content=body, headers=headers)


def test_a_ninth_style_picture_is_refused(refuse: Refuse) -> None:
    assert "Received: 9" in refuse(422, "style", files=pictures(CONTENT, *[STYLE] * 9))


def test_a_second_content_picture_is_refused(refuse: Refuse) -> None:
    refuse(422, "content", files=[*FORM, ("content", ("again", STYLE))])


def test_a_parameter_given_twice_is_refused(refuse: Refuse) -> None:
    refuse(422, "size", {"size": ["64", "128"]}, files=FORM)


def test_a_text_in_place_of_the_content_picture_is_refused(refuse: Refuse) -> None:
    refuse(422, "content", {"content": "town.jpg"}, files=FORM[1:])


def test_a_text_in_place_of_a_style_picture_is_refused(refuse: Refuse) -> None:
    found = problem(refuse.api.post("/v1/jobs", data={"style": "x"}, files=FORM[:1]), 422)
    assert found["errors"][0]["field"].startswith("style")
    assert contents(refuse.redis) == {}


@pytest.mark.parametrize(
    "form",
    [
        {"data": {f"field{n}": "1" for n in range(1100)}, "files": FORM},
        {"files": pictures(CONTENT, *[b"x"] * 1100)},
        {"data": {"quality": "x" * 2_000_000}, "files": FORM},
    ],
    ids=["fields", "files", "bytes"],
)
def test_a_form_of_far_too_many_is_refused(refuse: Refuse, form: dict[str, Any]) -> None:
    refuse(400, None, **form)


# What is not a form.


@dataclass
class Body:
    """A body that is not the form that it says it is."""

    body: bytes
    statuses: set[int] = field(default_factory=lambda: {400, 415, 422})
    kind: str = "multipart/form-data; boundary=b"


class Unread(io.BytesIO):
    """A file that nobody reads."""

    def read(self, _size: int | None = -1) -> bytes:
        raise AssertionError


@pytest.mark.parametrize(
    ("sizes", "field"),
    [
        ({"content": [41]}, "content"),
        ({"style": [1, 41]}, "style"),
        ({"style": [1] * 9}, "style"),
        ({"style": []}, "style"),
        ({"content_mask": [1]}, "style_mask"),
        ({"content_mask": [41], "style_mask": [1]}, "content_mask"),
        ({"content_mask": [1], "style_mask": [41]}, "style_mask"),
        ({"style_mask": [1] * 8}, "content_mask"),
    ],
)
def test_files_are_not_read_where_one_is_too_large_or_some_are_missing_or_too_many(
    sizes: dict[str, list[int]], field: str
) -> None:
    files = {
        name: [UploadFile(Unread(), size=2**20 * megabytes) for megabytes in each]
        for name, each in ({"content": [1], "style": [1]} | sizes).items()
    }
    single = {name: file for name in ("content", "content_mask") for file in files.get(name, [])}
    form = JobForm.model_validate({**files, **single})
    with pytest.raises(InputError) as refused:
        form.submission(Caller(None, "me"), DEFAULT_LIMITS, None)
    assert refused.value.field == field


BODIES = {
    "json": Body(b'{"size": 64}', kind="application/json"),
    "urlencoded": Body(b"size=64", kind="application/x-www-form-urlencoded"),
    "a picture": Body(CONTENT, kind="image/jpeg"),
    "nothing": Body(b""),
    "no boundary": Body(b"--b--", kind="multipart/form-data"),
    "garbage": Body(b"garbage"),
    "a cut header": Body(b'--b\r\nContent-Disposition: form-data; name="con'),
    "no name": Body(b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "no disposition": Body(b"--b\r\nX: y\r\n\r\nx\r\n--b--\r\n"),
    "a part without end": Body(
        b'--b\r\nContent-Disposition: form-data; name="content"; filename="c"\r\n\r\n' + CONTENT
    ),
    "bytes that are no text": Body(
        b'--b\r\nContent-Disposition: form-data; name="quality"\r\n\r\n\xff\xfe\r\n--b--\r\n'
    ),
    "a name that is no text": Body(
        b'--b\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--b--\r\n'
    ),
    "an unknown charset": Body(b"--b--\r\n", kind="multipart/form-data; boundary=b; charset=x-y"),
    "a boundary of 1000": Body(b"--b--\r\n", kind="multipart/form-data; boundary=" + "b" * 1000),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_refused_that_is(refuse: Refuse, name: str) -> None:
    sent = BODIES[name]
    response = refuse.api.post("/v1/jobs", content=sent.body, headers={"Content-Type": sent.kind})
    problem(response, response.status_code)
    assert response.status_code in sent.statuses
    assert contents(refuse.redis) == {}


# What is unusual and works.


def result_of(studio: httpx.Client, content: bytes, **fields: str) -> np.ndarray[Any, Any]:
    files: Files = pictures(content, STYLE)
    picture = opened(painted(studio, files, **(SHORT | {"steps": "1"} | fields)))
    return np.asarray(picture.convert("RGB"), np.int32)


def test_a_cmyk_jpeg_is_painted_in_its_colours(studio: httpx.Client) -> None:
    rgb = opened(CONTENT).convert("RGB")
    ours = result_of(studio, saved(rgb.convert("CMYK"), "JPEG", quality=95))
    plain = result_of(studio, CONTENT)
    assert ours.shape == plain.shape == (48, 64, 3)
    assert np.abs(ours - plain).mean() < 30


def test_an_opaque_alpha_channel_changes_nothing(studio: httpx.Client) -> None:
    image = opened(CONTENT).convert("RGB")
    opaque = result_of(studio, saved(image.convert("RGBA"), "PNG"))
    assert np.array_equal(opaque, result_of(studio, saved(image, "PNG")))


def test_a_grey_picture_is_painted_as_the_same_picture_in_colours(studio: httpx.Client) -> None:
    grey = opened(CONTENT).convert("L")
    painted_grey = result_of(studio, saved(grey, "PNG"))
    assert np.array_equal(painted_grey, result_of(studio, saved(grey.convert("RGB"), "PNG")))


def test_a_photograph_that_a_camera_stored_on_its_side_comes_out_upright(
    studio: httpx.Client,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    sideways = saved(opened(CONTENT).convert("RGB"), "JPEG", exif=exif)
    upright = saved(ImageOps.exif_transpose(opened(sideways)), "PNG")
    ours = result_of(studio, sideways)
    assert ours.shape == (64, 48, 3)
    assert np.array_equal(ours, result_of(studio, upright))


def test_every_result_is_free_of_what_the_camera_wrote(studio: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    tagged = saved(opened(CONTENT).convert("RGB"), "JPEG", exif=exif)
    data = painted(studio, pictures(tagged, STYLE), format="jpeg")
    assert b"at home" not in data
    assert not opened(data).getexif()
