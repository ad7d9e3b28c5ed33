"""The page in a real browser, with a real worker behind it."""

from http import HTTPStatus

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser import steps
from tests.pictures import halves, style_picture

#: How every PNG begins; in this one that is all.
PNG = b"\x89PNG\r\n\x1a\n"


def test_the_whole_way_from_chosen_files_to_the_saved_painting(
    page: Page, api: httpx.Client
) -> None:
    page.goto("/")
    with page.expect_file_chooser() as choosing:
        page.get_by_text("Choose a photograph").click()
    choosing.value.set_files(steps.photo())
    with page.expect_file_chooser() as choosing:
        page.get_by_text("Your own painting").click()
    choosing.value.set_files([steps.painting(), steps.painting("more.png")])
    expect(page.locator("#style").get_by_role("img")).to_have_count(2)
    page.get_by_role("button", name="Remove more.png").click()
    expect(page.locator("#style").get_by_role("img")).to_have_count(1)
    steps.paint(page, size=64, steps=None)  # all of a draft; other tests leave it at a few steps

    expect(page.get_by_role("progressbar")).to_be_visible()
    steps.expect_result(page)
    assert steps.result(page).evaluate("it => [it.naturalWidth, it.naturalHeight]") == [64, 48]
    expect(steps.easel(page)).to_contain_text("64 × 48 pixels, PNG")  # noqa: RUF001
    expect(steps.easel(page)).to_contain_text("With the bundled features, in draft quality")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the picture").click()
    job = steps.job_id(page)
    expect(steps.result(page)).to_have_attribute("src", f"/v1/jobs/{job}/result?redirect=false")
    assert saving.value.suggested_filename == f"atelier-{job[:8]}.png"
    assert saving.value.path().read_bytes() == api.get(f"/v1/jobs/{job}/result").content

    page.get_by_role("link", name="Paint another").click()
    expect(page.get_by_role("img", name="hill.jpg")).to_be_visible()
    page.go_back()
    expect(steps.result(page)).to_be_visible()


def test_the_whole_way_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Size", exact=True)).to_be_visible()
    pictures = {"Choose a photograph": steps.photo(), "Your own painting": steps.painting()}
    for name, picture in pictures.items():
        steps.tab_to(page, page.get_by_label(name))
        with page.expect_file_chooser() as choosing:
            page.keyboard.press("Enter")
        choosing.value.set_files(picture)
        expect(page.get_by_role("img", name=picture["name"])).to_be_visible()
    steps.tab_to(page, page.get_by_label("Size", exact=True))
    page.keyboard.type("64")
    steps.tab_to(page, page.get_by_label("Standard"))
    page.keyboard.press("ArrowLeft")
    steps.tab_to(page, page.locator("summary").filter(has_text="More settings"))
    page.keyboard.press("Enter")
    steps.tab_to(page, page.get_by_label("Steps", exact=True))
    page.keyboard.type(str(steps.FEW))
    steps.tab_to(page, page.get_by_role("button", name="Paint", exact=True))
    page.keyboard.press("Enter")

    expect(steps.easel(page).get_by_role("heading")).to_be_focused()
    steps.expect_result(page)
    expect(steps.easel(page)).to_contain_text("draft")
    expect(page.get_by_role("status")).to_have_text("Your painting")
    steps.tab_to(page, page.get_by_role("link", name="Save the picture"))
    with page.expect_download() as saving:
        page.keyboard.press("Enter")
    assert saving.value.path().read_bytes().startswith(PNG)


def test_dropped_and_pasted_pictures_go_where_they_are_aimed_at_or_else_missing(page: Page) -> None:
    page.goto("/")
    picture = style_picture(80, 80)
    steps.hand_over(page.locator("#style"), "drop", "dropped.png", picture)
    expect(page.locator("#style").get_by_role("img", name="dropped.png")).to_be_visible()
    steps.hand_over(page.locator("body"), "paste", "first.png", picture)
    expect(page.locator("#content").get_by_role("img", name="first.png")).to_be_visible()
    steps.hand_over(page.locator("body"), "paste", "second.png", picture)
    expect(page.locator("#style").get_by_role("img", name="second.png")).to_be_visible()


def test_what_is_no_picture_or_too_large_is_refused_before_anything_is_uploaded(page: Page) -> None:
    uploads: list[Request] = []
    page.on("request", lambda asked: uploads.append(asked) if asked.method == "POST" else None)
    page.goto("/")
    style, content = page.locator("#style"), page.locator("#content")
    steps.hand_over(style, "drop", "notes.txt", b"no picture")
    expect(style.get_by_role("alert")).to_have_text(
        "notes.txt is not taken: it must be a picture as JPEG, PNG, WebP or TIFF."
    )
    steps.hand_over(content, "drop", "wall.png", PNG, megabytes=41)
    expect(content.get_by_role("alert")).to_have_text(
        "wall.png is too large: it has 41 MB, up to 40 MB are taken."
    )
    steps.press_paint(page)
    expect(content.get_by_role("alert")).to_contain_text("Choose the photograph")
    assert uploads == []


def test_a_number_out_of_its_range_is_marked_where_it_stands(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=63)
    size = page.get_by_label("Size", exact=True)
    expect(size).to_be_focused()
    expect(size).to_have_accessible_description(
        "pixels on the long side Give a whole number from 64 to 4,096."
    )


def test_what_the_service_refuses_is_said_beside_the_field(page: Page, refusals: set[int]) -> None:
    refusals.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    page.goto("/")
    steps.choose(page, content=steps.file("tiny.png", style_picture(8, 8)))
    steps.paint(page, size=64)
    expect(page.locator("#content").get_by_role("alert")).to_contain_text(
        "Each side of a picture needs at least 16 pixels."
    )
    expect(page.locator("#studio-fault")).to_contain_text("see what is marked")


def test_masks_are_handed_in_and_what_is_wrong_with_them_is_said_beside_them(
    page: Page, api: httpx.Client, refusals: set[int]
) -> None:
    refusals.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    page.goto("/")
    steps.choose(page)
    page.get_by_text("More settings").click()
    square = steps.file("square.png", halves(64, 64, "#ff0000", "#0000ff"))
    content_mask = page.get_by_label("Mask of the photograph")
    content_mask.set_input_files(square)
    page.get_by_label("Masks of the style pictures").set_input_files(square)
    steps.paint(page, size=64)
    expect(content_mask).to_be_focused()
    expect(page.locator("#fault-content_mask")).to_contain_text("the proportions of its picture")

    content_mask.set_input_files(steps.file("wide.png", halves(96, 72, "#ff0000", "#00ff00")))
    steps.press_paint(page)
    steps.expect_status(page, "The painting failed")
    expect(steps.easel(page)).to_contain_text("#00ff00")
    page.get_by_role("link", name="Paint another").click()
    expect(page.locator("#fault-content_mask")).to_be_empty()
    content_mask.set_input_files(steps.file("wide.png", halves(96, 72, "#ff0000", "#0000ff")))
    steps.press_paint(page)
    steps.expect_result(page)
    result = api.get(f"/v1/jobs/{steps.job_id(page)}").json()["result"]
    assert (result["width"], result["height"]) == (64, 48)


def test_a_job_is_shown_again_after_a_reload_and_in_another_tab(
    page: Page, api: httpx.Client
) -> None:
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=64, quality="Fine", steps=steps.ENDLESS)
    expect(steps.preview(page)).to_be_visible()
    job = steps.job_id(page)
    page.reload()
    another = page.context.new_page()
    another.goto(page.url)
    for tab in page, another:
        steps.expect_status(tab, "Painting")
        expect(steps.preview(tab)).to_be_visible()
        expect(steps.easel(tab)).to_contain_text("Step ")
        assert steps.job_id(tab) == job
    api.post(f"/v1/jobs/{job}/cancel")
    for tab in page, another:
        steps.expect_status(tab, "Canceled")


def test_a_painting_and_a_waiting_job_can_be_canceled(page: Page, api: httpx.Client) -> None:
    running, waiting, last = (steps.submit(api, steps=steps.ENDLESS) for _ in range(3))
    page.goto(f"/?job={last}")
    expect(page.get_by_text("Number 2 in line")).to_be_visible()
    for job in last, waiting, running:
        page.goto(f"/?job={job}")
        if job == running:
            steps.expect_status(page, "Painting")
        page.get_by_role("button", name="Cancel").click()
        steps.expect_status(page, "Canceled")
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        assert api.get(f"/v1/jobs/{job}").json()["status"] == "canceled"
    page.get_by_role("link", name="Paint another").click()
    expect(page.get_by_role("button", name="Paint", exact=True)).to_be_visible()


def test_a_job_that_is_not_there_is_said_to_be_unknown(page: Page, refusals: set[int]) -> None:
    refusals.add(HTTPStatus.NOT_FOUND)
    page.goto("/?job=0123456789abcdef0123456789abcdef")
    steps.expect_status(page, "No such painting")
    expect(page.get_by_role("link", name="Paint another")).to_be_visible()


def test_a_failed_job_says_why(page: Page, api: httpx.Client, finished: str) -> None:
    error = {"type": "urn:x", "title": "The time was up", "detail": "It took <b>too</b> long."}
    failed = api.get(f"/v1/jobs/{finished}").json() | {"status": "failed", "error": error}
    page.route(f"**/v1/jobs/{finished}", lambda route: route.fulfill(json=failed))
    page.goto(f"/?job={finished}")
    steps.expect_status(page, "The painting failed")
    expect(steps.easel(page)).to_contain_text("The time was up. It took <b>too</b> long.")


@pytest.mark.parametrize("status", [None, HTTPStatus.BAD_GATEWAY], ids=["silent", "proxy only"])
def test_the_page_recovers_by_itself_when_the_service_was_away(
    page: Page, finished: str, refusals: set[int], status: int | None
) -> None:
    def answer(route: Route) -> None:
        if status is None:
            route.abort()
        else:
            route.fulfill(status=status, body="<h1>Bad gateway</h1>")

    refusals.add(HTTPStatus.BAD_GATEWAY)
    page.route("**/v1/**", answer)
    page.goto(f"/?job={finished}")
    expect(steps.easel(page).get_by_role("alert")).to_contain_text("does not answer")
    page.unroute("**/v1/**")
    steps.expect_result(page)
    expect(page.get_by_text("does not answer")).to_have_count(0)


def test_nothing_chosen_is_lost_when_the_service_is_away(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    page.route("**/v1/**", lambda route: route.abort())
    steps.paint(page, size=64)
    fault = page.locator("#studio-fault")
    expect(fault).to_contain_text("Your pictures are still here")
    page.unroute("**/v1/**")
    expect(fault).to_be_empty()
    steps.press_paint(page)
    steps.expect_result(page)


@pytest.mark.parametrize("width", [360, 390])
def test_a_telephone_never_scrolls_sideways(page: Page, finished: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    page.goto("/")
    expect(page.get_by_label("Size", exact=True)).to_be_visible()
    page.get_by_text("More settings").click()
    assert steps.sideways(page) == 0
    names = [f"{'a-very-long-name-' * 6}{number}.png" for number in range(9)]
    tiff = steps.file(f"{'x' * 90}.tif", style_picture(80, 80, "TIFF"))
    steps.choose(page, content=tiff, styles=[steps.painting(name) for name in names])
    expect(page.locator("#style").get_by_role("img")).to_have_count(8)
    expect(page.locator("#style").get_by_role("alert")).to_contain_text("Up to 8 pictures")
    assert steps.sideways(page) == 0
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    assert steps.sideways(page) == 0
