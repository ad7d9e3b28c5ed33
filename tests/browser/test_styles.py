"""The styles that come with Atelier, as a wall of pictures to choose from on the page."""

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from app.presets import PRESETS
from tests.browser import steps


@pytest.fixture
def styles(page: Page) -> Locator:
    """The buttons, on a page that was just opened."""
    page.goto("/")
    buttons = page.get_by_role("list", name="Styles to choose from").get_by_role("button")
    expect(buttons).to_have_count(len(PRESETS))
    return buttons


def style(page: Page, name: str) -> Locator:
    """The button of a style."""
    return page.get_by_role("button", name=name, exact=True)


def chosen(page: Page) -> list[str]:
    """The names of the styles that are shown as chosen."""
    return page.locator(".presets [aria-pressed=true]").all_inner_texts()


def choose_photograph(page: Page) -> None:
    page.get_by_label("Choose a photograph").set_input_files(steps.photo())
    expect(page.get_by_role("img", name="hill.jpg")).to_be_visible()


def is_painted_already(api: httpx.Client, own: list[FilePayload], *presets: str) -> bool:
    """Whether a job of just these styles, in this order, has been painted: it is answered with."""
    files = [("content", steps.photo()["buffer"]), *(("style", file["buffer"]) for file in own)]
    fields = {"size": "64", "quality": "draft", "steps": str(steps.FEW), "style_preset": presets}
    job = api.post("/v1/jobs", files=files, data=fields).raise_for_status().json()
    api.post(job["urls"]["cancel"])
    return bool(job["reused"])


def test_a_photograph_is_painted_in_a_style_that_comes_with_atelier(
    page: Page, styles: Locator, api: httpx.Client
) -> None:
    for shown in styles.get_by_role("img", include_hidden=True).all():
        shown.scroll_into_view_if_needed()
        expect(shown).to_have_js_property("complete", value=True)
        assert shown.evaluate("it => it.naturalWidth") > 0
    expect(style(page, "Woodcut")).to_have_accessible_description(PRESETS["woodcut"].description)
    choose_photograph(page)
    style(page, "Woodcut").click()
    assert chosen(page) == ["Woodcut"]
    steps.paint(page, size=64)
    steps.expect_result(page)
    assert is_painted_already(api, [], "woodcut")
    page.get_by_role("link", name="Paint another").click()
    assert chosen(page) == ["Woodcut"]


@pytest.mark.usefixtures("styles")
def test_several_styles_and_pictures_of_ones_own_are_sent_in_the_order_in_which_they_were_chosen(
    page: Page, api: httpx.Client
) -> None:
    choose_photograph(page)
    for name in "Waves", "Aurora", "Ink":
        style(page, name).click()
    page.get_by_label("Your own painting").set_input_files([steps.painting("mine.png")])
    expect(page.get_by_role("img", name="mine.png")).to_be_visible()
    style(page, "Aurora").click()
    style(page, "Aurora").click()
    assert chosen(page) == ["Aurora", "Ink", "Waves"]
    steps.paint(page, size=64)
    steps.expect_result(page)
    assert not is_painted_already(api, [steps.painting()], "aurora", "ink", "waves")
    assert is_painted_already(api, [steps.painting()], "waves", "ink", "aurora")


@pytest.mark.usefixtures("styles")
def test_styles_are_chosen_by_keyboard(page: Page) -> None:
    choose_photograph(page)
    steps.tab_to(page, style(page, "Facets"))
    page.keyboard.press("Space")
    expect(style(page, "Facets")).to_have_attribute("aria-pressed", "true")
    expect(style(page, "Facets")).to_be_focused()
    page.keyboard.press("Tab")
    expect(style(page, "Glass")).to_be_focused()
    page.keyboard.press("Enter")
    assert chosen(page) == ["Facets", "Glass"]
    page.keyboard.press("Enter")
    assert chosen(page) == ["Facets"]
    steps.tab_to(page, page.get_by_label("Your own painting"))
    steps.ask_for(page, steps=steps.FEW)
    page.get_by_label("Size", exact=True).fill("64")
    page.keyboard.press("Enter")
    steps.expect_result(page)


def test_no_more_are_chosen_than_may_give_the_style(page: Page, styles: Locator) -> None:
    fault = page.locator("#style").get_by_role("alert")
    page.get_by_label("Your own painting").set_input_files(
        [steps.painting(f"{number}.png") for number in range(2)]
    )
    expect(page.locator("#style").get_by_role("img")).to_have_count(2)
    for number in range(6):
        styles.nth(number).click()
    expect(fault).to_have_count(0)
    styles.nth(6).click()
    expect(fault).to_contain_text("Up to 8 pictures")
    expect(styles.nth(6)).to_have_attribute("aria-pressed", "false")
    page.get_by_label("Another of your own").set_input_files([steps.painting("late.png")])
    expect(fault).to_contain_text("Up to 8 pictures")
    expect(page.locator("#style").get_by_role("img")).to_have_count(2)
    styles.first.click()
    expect(fault).to_have_count(0)
    styles.nth(6).click()
    assert len(chosen(page)) == 6


def test_without_any_style_nothing_is_sent_and_a_chosen_one_takes_that_back(
    page: Page, styles: Locator
) -> None:
    choose_photograph(page)
    steps.press_paint(page)
    fault = page.locator("#style").get_by_role("alert")
    expect(fault).to_contain_text("Choose at least one style")
    styles.first.click()
    expect(fault).to_have_count(0)


@pytest.mark.parametrize("width", [320, 360, 820, 1280])
def test_the_styles_fit_on_every_screen(page: Page, styles: Locator, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    assert steps.sideways(page) == 0
    for button in styles.all():
        assert button.evaluate("it => it.scrollWidth <= it.clientWidth")
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 44  # for a finger
