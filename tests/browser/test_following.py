"""How the page follows a job: by its stream of events, and by asking where there is none."""

import signal
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser import steps
from tests.house import House

STREAM = "**/v1/jobs/*/events"

#: At the beginning, and when the painting has begun.
FEW = 2

_SET_HIDDEN = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Asked:
    """What a page has asked about jobs.

    Attributes:
        looks: at a job as it is.
        streams: of its events, from the beginning to now.
        open_streams: those that have not ended.
        course: of all this, with the seconds since the page was there.
    """

    def __init__(self, page: Page) -> None:
        self._began = time.monotonic()
        self.course: list[str] = []
        self.looks = 0
        self.streams = 0
        self.open_streams: set[Request] = set()
        page.on("request", self._begin)
        page.on("requestfailed", self._end)
        page.on("requestfinished", self._end)

    def _begin(self, request: Request) -> None:
        parts = urlsplit(request.url).path.split("/")[1:]
        if parts[:2] != ["v1", "jobs"] or request.method != "GET":
            return
        if parts[3:] == ["events"]:
            self.streams += 1
            self.open_streams.add(request)
            self._note("a stream begins")
        elif len(parts) == 3:
            self.looks += 1
            self._note("a look")

    def _end(self, request: Request) -> None:
        if request in self.open_streams:
            self.open_streams.remove(request)
            self._note(f"a stream ends: {request.failure or 'by the service'}")

    def _note(self, what: str) -> None:
        self.course.append(f"{time.monotonic() - self._began:.1f} s: {what}")


@pytest.fixture
def asked(page: Page) -> Asked:
    """What the page will ask."""
    return Asked(page)


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """A house that may be harmed."""
    with House(tmp_path) as running:
        yield running


def wait_until(page: Page, look: Callable[[], bool], what: str) -> None:
    """Waits while the page lives on, which it does not in the loops of others."""
    for _ in range(600):
        if look():
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{what}: not within 30 s")


def step_shown(page: Page) -> str:
    """How far the painting is, in the page's words."""
    return steps.easel(page).locator(".how-far").inner_text()


def test_a_job_is_followed_by_one_stream_and_hardly_asked_for(
    page: Page, api: httpx.Client, asked: Asked
) -> None:
    in_front = steps.submit(api, steps=steps.ENDLESS)
    job = steps.submit(api, steps=steps.SOME)
    page.goto(f"/?job={job}")
    expect(page.get_by_text("Next in line")).to_be_visible()
    api.post(f"/v1/jobs/{in_front}/cancel")
    steps.catch_painting(page)
    expect(steps.easel(page)).to_contain_text(" left")
    expect(steps.easel(page)).to_contain_text("With the bundled features")
    expect(steps.preview(page)).to_be_visible()
    steps.expect_result(page)
    assert asked.looks <= FEW, asked.course
    assert asked.streams == 1, asked.course
    wait_until(page, lambda: not asked.open_streams, "the stream has ended")


def abort(route: Route) -> None:
    route.abort()


def refuse(route: Route) -> None:
    route.fulfill(status=HTTPStatus.UNAUTHORIZED, json={})


def keep_silent(_route: Route) -> None:
    """As a proxy that holds back what it gets until there is more."""


@pytest.mark.parametrize("meddle", [abort, refuse, keep_silent])
def test_where_the_stream_does_not_work_the_page_asks_and_comes_back_to_it_later(
    page: Page,
    api: httpx.Client,
    asked: Asked,
    refusals: set[int],
    meddle: Callable[[Route], None],
) -> None:
    refusals.add(HTTPStatus.UNAUTHORIZED)
    page.route(STREAM, meddle)
    page.goto(f"/?job={steps.submit(api, steps=steps.ENDLESS)}")
    wait_until(page, lambda: asked.looks > 2 * FEW, "the page asks")
    steps.expect_status(page, "Painting")
    expect(steps.preview(page)).to_be_visible()
    before = step_shown(page)
    wait_until(page, lambda: step_shown(page) != before, "it is seen going on")

    page.unroute(STREAM)
    with page.expect_response(STREAM):
        pass
    looks, before = asked.looks, step_shown(page)
    wait_until(page, lambda: step_shown(page) != before, "it is seen going on")
    page.get_by_role("button", name="Cancel").click()
    steps.expect_status(page, "Canceled")
    assert asked.looks - looks <= FEW, asked.course


def test_a_job_is_followed_on_when_the_api_was_started_again(
    page: Page, own_house: House, asked: Asked
) -> None:
    with own_house.client() as client:
        job = steps.submit(client, steps=steps.ENDLESS)
    page.goto(f"{own_house.url}/?job={job}")
    expect(steps.preview(page)).to_be_visible(timeout=steps.PAINTED_MS)
    (running,) = [
        child
        for child in psutil.Process(own_house.pid).children()
        if child.cmdline()[1:4] == ["-m", "app.cli", "api"]
    ]
    running.send_signal(signal.SIGKILL)
    with page.expect_response(STREAM, timeout=steps.PAINTED_MS):
        pass
    looks, before = asked.looks, step_shown(page)
    wait_until(page, lambda: step_shown(page) != before, "it is seen going on")
    expect(page.get_by_text("does not answer")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    steps.expect_status(page, "Canceled")
    assert asked.looks - looks <= FEW, asked.course


def test_a_stream_ends_with_the_look_at_its_job_and_there_is_never_more_than_one(
    page: Page, api: httpx.Client, asked: Asked
) -> None:
    jobs = [steps.submit(api, steps=steps.ENDLESS) for _ in range(2)]
    page.goto("/")
    for number, job in enumerate(jobs, 1):
        page.evaluate("address => history.pushState(null, '', address)", f"/?job={job}")
        page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
        wait_until(page, lambda n=number: asked.streams == n, "it has a stream")  # type: ignore[misc]
        wait_until(page, lambda: len(asked.open_streams) == 1, "there is one stream")
    page.get_by_role("link", name="Atelier", exact=True).click()
    wait_until(page, lambda: not asked.open_streams, "the stream has ended")
    assert asked.streams == 2, asked.course


def test_a_tab_hidden_for_long_keeps_no_stream_and_takes_one_when_it_is_seen_again(
    page: Page, api: httpx.Client, asked: Asked
) -> None:
    page.clock.install()
    page.goto(f"/?job={steps.submit(api, steps=steps.ENDLESS)}")
    steps.expect_status(page, "Painting")
    before = step_shown(page)
    wait_until(page, lambda: step_shown(page) != before, "it is seen going on")
    page.evaluate(_SET_HIDDEN, arg=True)
    page.clock.fast_forward(30_000)
    assert len(asked.open_streams) == 1
    page.clock.fast_forward(31_000)
    wait_until(page, lambda: not asked.open_streams, "the stream has ended")
    page.evaluate(_SET_HIDDEN, arg=False)
    wait_until(page, lambda: len(asked.open_streams) == 1, "there is a stream")


def test_a_job_deleted_while_it_is_looked_at_is_said_to_be_unknown(
    page: Page, api: httpx.Client, refusals: set[int]
) -> None:
    refusals.add(HTTPStatus.NOT_FOUND)
    job = steps.submit(api, steps=steps.ENDLESS)
    page.goto(f"/?job={job}")
    steps.expect_status(page, "Painting")
    api.delete(f"/v1/jobs/{job}")
    steps.expect_status(page, "No such painting")
