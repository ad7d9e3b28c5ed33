"""The operator's page: what the house does, what failed and why, and what can be done about it."""

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import steps
from tests.house import eventually
from tests.pictures import halves, photograph, style_picture

_SET_HIDDEN = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def failed(api: httpx.Client) -> str:
    """The id of a job whose masks do not go together, which only its worker sees."""
    files = [
        ("content", photograph(96, 72)),
        ("style", style_picture(80, 80)),
        ("content_mask", halves(96, 72, "#ff0000", "#00ff00")),
        ("style_mask", halves(80, 80, "#ff0000", "#0000ff")),
    ]
    fields, waiting = {"size": "64", "quality": "draft"}, {"Prefer": "wait=60"}
    job = api.post("/v1/jobs", files=files, data=fields, headers=waiting).json()
    assert job["status"] == "failed"
    return str(job["id"])


def opened(page: Page) -> None:
    page.goto("/admin")
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()


def item(page: Page, within: str, job: str) -> Locator:
    """A job in one of the lists."""
    return page.locator(f"{within} > li").filter(has_text=job[:8])


def number(page: Page, name: str) -> Locator:
    return page.locator("#numbers > div").filter(has_text=name).locator("dd")


def test_a_failure_is_shown_with_its_reason_and_tried_again(
    page: Page, api: httpx.Client, failed: str
) -> None:
    before = api.get(f"/v1/jobs/{failed}").json()["finished_at"]
    opened(page)
    shown = item(page, "#failures", failed)
    expect(shown).to_contain_text("#00ff00")
    expect(number(page, "Failed")).to_have_text("1")
    shown.get_by_role("button", name="Try again").click()

    def ended_again() -> bool:
        return api.get(f"/v1/jobs/{failed}").json()["finished_at"] not in {before, None}

    eventually(ended_again, within=60, what="it is tried, and fails as before")
    expect(item(page, "#jobs", failed)).to_contain_text("Failed")


def test_what_cannot_be_tried_again_says_why(
    page: Page, api: httpx.Client, failed: str, refusals: set[int]
) -> None:
    refusals.add(404)
    opened(page)
    expect(item(page, "#failures", failed)).to_be_visible()
    page.route("**/v1/admin/jobs*", lambda route: route.abort())
    api.delete(f"/v1/jobs/{failed}")
    shown = item(page, "#failures", failed)
    shown.get_by_role("button", name="Try again").click()
    expect(shown.get_by_role("status")).to_contain_text("There is no such job")
    expect(page.get_by_text("does not answer at the moment")).to_be_visible()
    page.unroute("**/v1/admin/jobs*")
    expect(shown).to_have_count(0)
    expect(page.get_by_text("does not answer at the moment")).to_have_count(0)


def test_jobs_are_seen_being_painted_and_canceled(page: Page, api: httpx.Client) -> None:
    running = steps.submit(api, steps=steps.ENDLESS)
    opened(page)
    waiting = steps.submit(api, steps=steps.ENDLESS)
    expect(item(page, "#jobs", running)).to_contain_text("Being painted")
    expect(item(page, "#jobs", waiting)).to_contain_text("next in line")
    expect(number(page, "Waiting")).to_have_text("1")
    expect(page.locator("#workers")).to_contain_text("steps a second")
    for job in waiting, running:
        button = item(page, "#jobs", job).get_by_role("button", name="Cancel")
        button.focus()
        page.keyboard.press("Enter")
        expect(item(page, "#jobs", job).locator(".state")).to_have_text("Canceled")
        expect(button).to_be_hidden()
    page.get_by_label("Show").select_option("Failed")
    expect(page.get_by_text("There are no such jobs.")).to_be_visible()
    page.get_by_label("Show").select_option("Canceled")
    expect(page.locator("#jobs > li")).to_have_count(2)


def test_older_jobs_are_turned_to_and_the_focus_stays_when_the_lists_change(
    page: Page, api: httpx.Client
) -> None:
    steps.submit(api, steps=steps.ENDLESS)  # which keeps the only device
    jobs = [steps.submit(api) for _ in range(20)]
    opened(page)
    expect(page.locator("#jobs > li")).to_have_count(20)
    expect(item(page, "#jobs", jobs[19])).to_be_visible()
    link = item(page, "#jobs", jobs[10]).get_by_role("link")
    link.focus()
    api.delete(f"/v1/jobs/{jobs[19]}")
    expect(item(page, "#jobs", jobs[19])).to_have_count(0)
    expect(link).to_be_focused()
    newest = steps.submit(api)
    expect(item(page, "#jobs", newest)).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.locator("#jobs > li")).to_have_count(1)
    expect(page.get_by_role("button", name="Older")).to_be_hidden()
    page.get_by_role("button", name="Newest").click()
    expect(page.locator("#jobs > li")).to_have_count(20)


def test_nothing_is_asked_while_nobody_looks(page: Page) -> None:
    asked: list[str] = []
    page.clock.install()
    opened(page)
    page.evaluate(_SET_HIDDEN, arg=True)
    page.wait_for_load_state("networkidle")  # what was under way
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(10):
        page.clock.fast_forward(60_000)
    assert asked == []
    with page.expect_response("**/v1/admin/house"):
        page.evaluate(_SET_HIDDEN, arg=False)
