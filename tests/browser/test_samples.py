"""Sample photographs, for who has none at hand."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps


def test_a_sample_photograph_is_painted_like_one_of_ones_own(page: Page) -> None:
    page.goto("/")
    samples = page.locator(".samples")
    for image in samples.locator("img").all():
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("it => it.naturalWidth") == 192
    samples.get_by_role("button", name="A cup of coffee, by Rachel Michetti, CC0").click()
    expect(page.get_by_role("img", name="coffee.jpg")).to_be_visible()
    expect(samples).to_be_hidden()
    page.get_by_role("button", name="Woodcut", exact=True).click()
    steps.paint(page, size=64)
    steps.expect_result(page)


def test_a_sample_that_cannot_be_had_is_explained_and_may_be_tried_again(page: Page) -> None:
    page.goto("/")
    page.route("**/samples/cat.jpg", lambda route: route.abort())
    cat = page.get_by_role("button", name="A cat")
    cat.click()
    expect(page.locator("#content-fault")).to_contain_text("does not answer")
    page.unroute("**/samples/cat.jpg")
    cat.click()
    expect(page.get_by_role("img", name="cat.jpg")).to_be_visible()
    expect(page.locator("#content-fault")).to_be_empty()
    page.get_by_role("button", name="Remove cat.jpg").click()
    expect(cat).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_samples_fit(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    page.goto("/")
    expect(page.get_by_role("button", name="A pavilion")).to_be_visible()
    assert steps.sideways(page) == 0
