"""The page in each of its states, light and dark, narrow and wide, as axe-core sees it."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.axe import serious_findings
from tests.pictures import halves, photograph, style_picture


def failing(api: httpx.Client) -> str:
    """The id of a job whose masks do not go together."""
    files = [
        ("content", photograph(96, 72)),
        ("style", style_picture(80, 80)),
        ("content_mask", halves(96, 72, "#ff0000", "#00ff00")),
        ("style_mask", halves(80, 80, "#ff0000", "#0000ff")),
    ]
    fields = {"size": "64", "quality": "draft"}
    return str(api.post("/v1/jobs", files=files, data=fields).raise_for_status().json()["id"])


def test_the_studio_as_it_is_first_seen_and_with_faults(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Size", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Waves", exact=True)).to_be_visible()
    assert serious_findings(page) == []
    steps.press_paint(page)
    expect(page.locator("#content-fault")).not_to_be_empty()
    assert serious_findings(page) == []


def test_the_studio_filled_with_all_settings_open_and_the_painter_of_masks(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    page.get_by_role("button", name="Waves", exact=True).click()
    page.get_by_text("More settings").click()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Paint regions").click()
    painter = page.get_by_role("dialog", name="Paint regions")
    painter.get_by_role("button", name="Fill it all").click()
    expect(painter.get_by_role("status")).to_contain_text("on no style picture")
    assert serious_findings(page) == []


def test_the_easel_while_it_is_painted_on_and_canceled(page: Page, api: httpx.Client) -> None:
    page.goto(f"/?job={steps.submit(api, steps=steps.ENDLESS)}")
    expect(steps.preview(page)).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Cancel").click()
    steps.expect_status(page, "Canceled")
    assert serious_findings(page) == []


def test_the_easel_with_a_finished_painting(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=64)
    steps.expect_result(page)
    assert serious_findings(page) == []


def test_a_failed_job_on_the_easel_and_on_the_operators_page(page: Page, api: httpx.Client) -> None:
    job = failing(api)
    page.goto(f"/?job={job}")
    steps.expect_status(page, "The painting failed")
    assert serious_findings(page) == []
    page.goto("/admin")
    expect(page.locator("#failures")).to_contain_text(job[:8])
    assert serious_findings(page) == []
