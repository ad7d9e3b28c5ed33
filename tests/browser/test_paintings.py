"""Coming back to paintings: all of them, deleting one, and painting one again."""

from http import HTTPStatus

import httpx
from playwright.sync_api import Page, expect

from tests.browser import steps


def test_paintings_are_filtered_by_status_and_deleted_when_somebody_means_it(
    page: Page, api: httpx.Client, finished: str
) -> None:
    page.goto("/")
    page.get_by_role("link", name="Your paintings").click()
    items = page.locator("#paintings li")
    expect(items).to_have_count(1)
    page.get_by_text("Failed", exact=True).click()
    expect(page.get_by_text("None of these.")).to_be_visible()
    page.get_by_text("All", exact=True).click()
    expect(items).to_have_count(1)
    delete = page.get_by_role("button", name="Delete the painting of")
    delete.click()
    page.get_by_role("button", name="Keep it").click()
    expect(items).to_have_count(1)
    delete.click()
    page.get_by_role("button", name="Delete it").click()
    expect(items).to_have_count(0)
    assert api.get(f"/v1/jobs/{finished}").status_code == HTTPStatus.NOT_FOUND


def test_older_paintings_come_when_they_are_asked_for(page: Page, api: httpx.Client) -> None:
    jobs = [steps.submit(api, size=64 + n, steps=steps.ENDLESS) for n in range(26)]
    for job in reversed(jobs):
        api.post(f"/v1/jobs/{job}/cancel")
    page.goto("/")
    page.get_by_role("link", name="Your paintings").click()
    links = page.locator("#paintings li a")
    expect(links).to_have_count(24)
    more = page.get_by_role("button", name="Show more")
    more.click()
    expect(links).to_have_count(26)
    expect(links.nth(24)).to_be_focused()
    expect(more).to_be_hidden()
    shown = links.evaluate_all("all => all.map((link) => link.search)")
    assert shown == [f"?job={job}" for job in reversed(jobs)]


def test_a_blend_is_painted_and_laid_out_again_with_its_settings(
    page: Page, api: httpx.Client
) -> None:
    page.goto("/")
    page.get_by_label("Choose a photograph").set_input_files(steps.photo())
    for name in "Waves", "Ink":
        page.get_by_role("button", name=name, exact=True).click()
    page.get_by_label("Share of Ink").fill("100")
    steps.paint(page, size=64)
    steps.expect_result(page)
    job = api.get(f"/v1/jobs/{steps.job_id(page)}").json()
    assert job["params"]["style_weights"] == [50, 100]
    page.get_by_role("button", name="Again with other settings").click()
    expect(page.locator("#studio-note")).to_contain_text("lie here again")
    expect(page.get_by_label("Share of Ink")).to_have_value("100")
    expect(page.get_by_label("Size", exact=True)).to_have_value("64")
