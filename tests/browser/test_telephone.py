"""The whole way on a telephone: narrow, and by touch alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.house import House


@pytest.fixture
def telephone(browser: Browser, house: House) -> Iterator[Page]:
    with browser.new_context(
        base_url=house.url,
        viewport={"width": 390, "height": 780},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
    ) as context:
        yield context.new_page()


def test_the_whole_way_by_touch(telephone: Page) -> None:
    page = telephone
    page.goto("/")
    expect(page.get_by_text("Take a photo")).to_be_visible()
    page.get_by_role("button", name="A cup of coffee").tap()
    expect(page.get_by_role("img", name="coffee.jpg")).to_be_visible()
    for style in "Waves", "Ink":
        page.get_by_role("button", name=style, exact=True).tap()
    expect(page.get_by_label("Share of Ink")).to_be_visible()
    page.get_by_text("More settings").tap()
    page.get_by_label("Size", exact=True).fill("64")
    page.get_by_text("Draft", exact=True).tap()
    page.get_by_label("Steps", exact=True).fill(str(steps.FEW))
    assert steps.sideways(page) == 0
    page.get_by_role("button", name="Paint", exact=True).tap()
    steps.expect_result(page)
    assert steps.sideways(page) == 0
    page.get_by_role("button", name="Zoom to pixels").tap()
    page.get_by_role("button", name="Close").tap()
    page.get_by_role("link", name="Your paintings").tap()
    expect(page.locator("#paintings li")).to_have_count(1)
    assert steps.sideways(page) == 0
    page.get_by_role("button", name="Delete the painting of").tap()
    page.get_by_role("button", name="Delete it").tap()
    expect(page.get_by_text("Nothing has been painted here so far.")).to_be_visible()
