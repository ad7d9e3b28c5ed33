"""The Python client, blocking and asynchronous, with a whole house."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from PIL import Image

from app.client import (
    AsyncAtelier,
    Atelier,
    Done,
    Event,
    PreviewMade,
    Progressed,
    Refused,
    StatusChanged,
)
from model.errors import InputError
from tests.app.cutter import Cutter
from tests.house import House
from worker.records import Job

T = TypeVar("T")

SHORT = {"size": 64, "quality": "draft", "steps": 3, "seed": 11}

#: Some seconds of painting, so that there is a preview.
LONGER = {"size": 64, "quality": "draft", "steps": 40}


@pytest.fixture
def atelier(house: House, studio: httpx.Client) -> Iterator[Atelier]:
    del studio  # it leaves the house with nothing to do
    with Atelier(house.url) as client:
        yield client


def asked_of(house: House, ask: Callable[[AsyncAtelier], Awaitable[T]]) -> T:
    """The answer that the asynchronous client gets."""

    async def main() -> T:
        async with AsyncAtelier(house.url) as client:
            return await ask(client)

    return asyncio.run(main())


def size_of(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as image:
        return image.size


def check_story(events: list[Event], job: Job) -> None:
    """What a stream has told of a painting, from its beginning to its end."""
    statuses = [event.status for event in events if isinstance(event, StatusChanged)]
    assert statuses[-2:] == ["running", "succeeded"]
    steps = [event.progress.step for event in events if isinstance(event, Progressed)]
    assert steps == sorted(steps)
    assert steps[-1] == job.params.steps
    assert [event for event in events if isinstance(event, PreviewMade)]
    (done,) = [event for event in events if isinstance(event, Done)]
    assert done is events[-1]
    assert (done.job.id, done.job.status) == (job.id, "succeeded")


def test_a_painting_is_handed_in_followed_and_fetched(
    atelier: Atelier, content: bytes, style: bytes
) -> None:
    job = atelier.submit(content, [style], LONGER)
    events = list(atelier.stream(job.id))
    check_story(events, job)
    assert size_of(atelier.result(job.id)) == (64, 48)
    assert size_of(atelier.preview(job.id))
    assert atelier.losses(job.id).points
    assert atelier.system()["workers"]


def test_the_asynchronous_client_does_the_same(house: House, content: bytes, style: bytes) -> None:
    async def paint(client: AsyncAtelier) -> tuple[Job, list[Event], bytes]:
        job = await client.submit(content, [style], LONGER | {"seed": 12})
        events = [event async for event in client.stream(job.id)]
        return job, events, await client.result(job.id)

    job, events, picture = asked_of(house, paint)
    check_story(events, job)
    assert size_of(picture) == (64, 48)


def test_waiting_ends_with_the_job(atelier: Atelier, content: bytes, style: bytes) -> None:
    job = atelier.wait(atelier.submit(content, [style], SHORT).id, within_seconds=60)
    assert job.status == "succeeded"
    assert atelier.wait(job.id) == job


def test_waiting_asynchronously_ends_with_the_job(
    house: House, content: bytes, style: bytes
) -> None:
    async def paint(client: AsyncAtelier) -> Job:
        job = await client.submit(content, [style], SHORT | {"seed": 13})
        return await client.wait(job.id, within_seconds=60)

    assert asked_of(house, paint).status == "succeeded"


def test_waiting_is_over_when_the_time_is(atelier: Atelier, content: bytes, style: bytes) -> None:
    job = atelier.submit(content, [style], LONGER | {"steps": 5000})
    with pytest.raises(TimeoutError, match="still"):
        atelier.wait(job.id, within_seconds=1)
    assert atelier.cancel(job.id).id == job.id
    assert atelier.wait(job.id, within_seconds=30).status == "canceled"


def test_pictures_may_be_named_by_where_they_are(
    atelier: Atelier, tmp_path: Path, content: bytes, style: bytes
) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    (tmp_path / "b.png").write_bytes(style)
    job = atelier.submit(tmp_path / "a.jpg", [tmp_path / "b.png"], SHORT | {"seed": 14})
    assert atelier.wait(job.id).status == "succeeded"
    with pytest.raises(InputError, match="cannot be read"):
        atelier.submit(tmp_path / "missing.jpg", [style])


def test_jobs_are_listed_newest_first_and_deleted_ones_are_gone(
    atelier: Atelier, content: bytes, style: bytes
) -> None:
    older = atelier.wait(atelier.submit(content, [style], SHORT | {"seed": 15}).id)
    newer = atelier.wait(atelier.submit(content, [style], SHORT | {"seed": 16}).id)
    assert [job.id for job in atelier.jobs("succeeded")][:2] == [newer.id, older.id]
    atelier.delete(newer.id)
    assert next(atelier.jobs("succeeded")).id == older.id
    with pytest.raises(Refused) as refused:
        atelier.get(newer.id)
    assert (refused.value.status, refused.value.type) == (404, "urn:atelier:problem:no-such-job")


def test_the_same_key_twice_is_one_job(atelier: Atelier, content: bytes, style: bytes) -> None:
    first = atelier.submit(content, [style], SHORT | {"seed": 17}, idempotency_key="once")
    again = atelier.submit(content, [style], SHORT | {"seed": 17}, idempotency_key="once")
    assert again.id == first.id


def test_a_refusal_says_what_is_wrong_with_which_field(
    atelier: Atelier, content: bytes, style: bytes
) -> None:
    with pytest.raises(Refused) as refused:
        atelier.submit(content, [style], SHORT, priority="soon")
    assert refused.value.status == 422
    assert [error["field"] for error in refused.value.errors] == ["priority"]


def test_a_stream_that_is_cut_goes_on_where_it_was(
    house: House, atelier: Atelier, content: bytes, style: bytes
) -> None:
    job = atelier.submit(content, [style], LONGER | {"seed": 18})
    cutter = Cutter(house.url, [700, 1500, 900])
    with Atelier(cutter.url) as client:
        events = list(client.stream(job.id))
    cutter.close()
    assert cutter.connections >= 4
    check_story(events, job)
    steps = [event.progress.step for event in events if isinstance(event, Progressed)]
    assert len(steps) == len(set(steps)), "nothing is told twice"
