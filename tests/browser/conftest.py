"""A real browser, and pages that fail their test when anything in them goes wrong unnoticed."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.browser import steps
from tests.house import House, eventually

CHROMIUM = Path("/usr/bin/chromium")

# In milliseconds; enough for a busy machine with two cores.
expect.set_options(timeout=30_000)

#: Chromium as root in a container, without a graphics card, and without calls of its own.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, closed with the module: until then no other test could run an event loop."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing (Debian: apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _no_jobs_of_others(house: House) -> None:
    """Nothing that another test had painted answers for what this one hands in.

    A house with keys shows none without one.
    """
    with house.client() as client:
        while jobs := client.get("/v1/jobs", params={"limit": 100}).json().get("jobs"):
            for job in jobs:
                client.delete(job["urls"]["self"])


@pytest.fixture
def api(house: House) -> Iterator[httpx.Client]:
    """A client of the house; what it finds unfinished after the test, it cancels."""
    with house.client() as client:
        yield client
        # The newest first, so that none that waits is begun in place of one that was canceled.
        for job in client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
            client.post(job["urls"]["cancel"])


@pytest.fixture
def finished(api: httpx.Client) -> str:
    """The id of a job that is painted."""
    job = steps.submit(api)
    eventually(
        lambda: api.get(f"/v1/jobs/{job}").json()["status"] == "succeeded",
        within=steps.PAINTED_MS / 1000,
        what="the job is painted",
    )
    return job


@pytest.fixture
def refusals() -> set[int]:
    """HTTP statuses of errors that a test provokes; with any other one it fails."""
    return set()


@pytest.fixture
def page(browser: Browser, house: House, refusals: set[int]) -> Iterator[Page]:
    """A tab; the test fails on an error in its console, which is where broken policies show."""
    troubles: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # Failed requests are seen below, with their addresses.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            troubles.append(message.text)

    def on_response(response: Response) -> None:
        if response.status >= 400 and response.status not in refusals:
            troubles.append(f"{response.status} {response.url}")

    with browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 800}) as tab:
        tab.on("console", on_console)
        tab.on("weberror", lambda error: troubles.append(str(error.error)))
        tab.on("response", on_response)
        opened = tab.new_page()
        # Playwright begins to catch file dialogs when somebody listens, but does not wait until
        # it does: a key pressed right after that would be lost.
        opened.on("filechooser", lambda _: None)
        yield opened
    assert troubles == []
