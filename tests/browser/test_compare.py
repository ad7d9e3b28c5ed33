"""The finished painting beside its photograph, with a divider between them."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import steps


@pytest.fixture
def divided(page: Page) -> Locator:
    """A painting beside its photograph, just finished."""
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=72)  # another than in other tests: theirs is to be painted there
    steps.expect_result(page)
    return page.get_by_role("group", name="Photograph and painting")


def divider(divided: Locator) -> float:
    """Where the divider stands, in percent of the width."""
    return float(divided.evaluate("it => it.value"))


def test_the_divider_follows_the_mouse_and_the_arrow_keys(page: Page, divided: Locator) -> None:
    expect(divided.get_by_role("img", name="Your photograph")).to_be_visible()
    photograph = divided.get_by_role("img", name="Your photograph")
    painting = steps.result(page)
    assert photograph.bounding_box() == painting.bounding_box() == divided.bounding_box()
    assert divider(divided) < 25  # it is the painting that is shown

    box = divided.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert divider(divided) == pytest.approx(75, abs=2)

    steps.tab_to(page, page.get_by_role("link", name="Save the picture"))
    page.keyboard.press("Shift+Tab")
    expect(divided).to_be_focused()
    page.keyboard.press("ArrowLeft", delay=200)
    assert divider(divided) < 73


def test_the_photograph_is_at_hand_in_this_browser_and_elsewhere_the_painting_stands_alone(
    page: Page, divided: Locator, browser: Browser
) -> None:
    expect(divided).to_be_visible()
    page.reload()
    steps.expect_result(page)
    expect(divided).to_be_visible()
    with browser.new_context() as another_device:
        elsewhere = another_device.new_page()
        elsewhere.goto(page.url)
        steps.expect_result(elsewhere)
        expect(elsewhere.get_by_role("group", name="Photograph and painting")).to_have_count(0)
