"""The painter of masks: regions are painted over the pictures, by mouse, finger and keyboard."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import steps
from tests.pictures import style_picture

BLACK, RED = [0, 0, 0], [225, 87, 89]

#: Draws through points on the screen.
Draw = Callable[[Page, list[tuple[float, float]]], None]

#: Size and colours of the masks that the form will hand in.
_MASKS = """async () => {
    const files = [...document.querySelectorAll("#masks input[type=file]")]
        .flatMap((input) => [...input.files]);
    return Promise.all(files.map(async (file) => {
        const bitmap = await createImageBitmap(file);
        const { width, height } = bitmap;
        const context = new OffscreenCanvas(width, height).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
        const parts = (word) => [word & 255, word >> 8 & 255, word >> 16 & 255];
        const colours = [...new Set(pixels)].map(parts);
        return { width, height, colours, type: file.type };
    }));
}"""


@pytest.fixture
def painter(page: Page) -> Locator:
    """The dialog, just opened over a photograph and a style."""
    page.goto("/")
    steps.choose(page)
    page.get_by_text("More settings").click()
    page.get_by_role("button", name="Paint regions").click()
    painter = page.get_by_role("dialog", name="Paint regions")
    expect(painter).to_be_visible()
    return painter


def turn_to(painter: Locator, name: str) -> None:
    painter.get_by_role("tab", name=name).click()
    expect(painter.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def verdict(painter: Locator) -> Locator:
    return painter.get_by_role("status")


def places(painter: Locator, *shares: tuple[float, float]) -> list[tuple[float, float]]:
    """Points on the screen, from shares of the picture's width and height."""
    box = painter.locator("canvas").bounding_box()
    assert box is not None
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]


def by_mouse(page: Page, points: list[tuple[float, float]]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def by_finger(page: Page, points: list[tuple[float, float]]) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(kind: str, *where: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in where]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", points[0])
    for point in points[1:]:
        touch("touchMove", point)
    touch("touchEnd")


def masks(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate(_MASKS))


#: From the left to the right in the upper half.
STROKE = ((0.1, 0.3), (0.9, 0.3))


@pytest.mark.parametrize("draw", [by_mouse, by_finger])
def test_regions_are_painted_over_the_pictures(page: Page, painter: Locator, draw: Draw) -> None:
    expect(verdict(painter)).to_contain_text("one region")
    use = painter.get_by_role("button", name="Use these")
    expect(use).to_be_disabled()
    draw(page, places(painter, *STROKE))
    expect(verdict(painter)).to_contain_text("on no style picture: Red")
    expect(use).to_be_disabled()
    turn_to(painter, "Style 1: waves.png")
    draw(page, places(painter, *STROKE))
    expect(verdict(painter)).to_contain_text("has a style to take")
    use.click()
    expect(painter).to_be_hidden()
    expect(page.get_by_role("img", name="Mask of")).to_have_count(2)
    content, style = masks(page)
    assert (content["width"], content["height"]) == (1024, 768)
    assert (style["width"], style["height"]) == (1024, 1024)
    for mask in content, style:
        assert sorted(mask["colours"]) == [BLACK, RED], "no colours in between"
        assert mask["type"] == "image/png"


def test_what_was_painted_is_handed_in_and_matters(
    page: Page, api: httpx.Client, painter: Locator
) -> None:
    by_mouse(page, places(painter, *STROKE))
    turn_to(painter, "Style 1")
    by_mouse(page, places(painter, *STROKE))
    painter.get_by_role("button", name="Use these").click()
    expect(painter).to_be_hidden()
    steps.paint(page, size=64)
    steps.expect_result(page)
    painted = api.get(f"/v1/jobs/{steps.job_id(page)}/result").content
    files = [("content", steps.photo()["buffer"]), ("style", style_picture(80, 80))]
    fields = {"size": "64", "quality": "draft", "steps": str(steps.FEW)}
    waiting = {"Prefer": "wait=60"}
    plain = api.post("/v1/jobs", files=files, data=fields, headers=waiting).json()
    assert plain["status"] == "succeeded"
    assert painted != api.get(plain["urls"]["result"]).content


def test_strokes_are_taken_back_and_made_again_picture_by_picture(
    page: Page, painter: Locator
) -> None:
    undo, redo = (painter.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    by_mouse(page, places(painter, *STROKE))
    painter.get_by_text("Blue", exact=True).click()
    by_mouse(page, places(painter, (0.1, 0.8), (0.9, 0.8)))
    expect(verdict(painter)).to_contain_text("Red, Blue")
    turn_to(painter, "Style 1")
    expect(undo).to_be_disabled()
    turn_to(painter, "Photograph")
    undo.click()
    expect(verdict(painter)).to_contain_text("picture: Red.")
    page.keyboard.press("Control+z")
    expect(verdict(painter)).to_contain_text("one region")
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    redo.click()
    expect(redo).to_be_disabled()
    expect(verdict(painter)).to_contain_text("Red, Blue")
    painter.get_by_role("button", name="Start over").click()
    expect(verdict(painter)).to_contain_text("one region")
    undo.click()
    expect(verdict(painter)).to_contain_text("Red, Blue")
    painter.get_by_text("The rest", exact=True).click()
    by_mouse(page, places(painter, (0.1, 0.8), (0.9, 0.8)))
    expect(verdict(painter)).to_contain_text("picture: Red.")


def test_by_keyboard_whole_pictures_are_filled(page: Page, painter: Locator) -> None:
    first, second = painter.get_by_role("tab").all()
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-selected", "true")
    steps.tab_to(page, painter.get_by_role("radio", name="Red"))
    page.keyboard.press("ArrowRight")
    steps.tab_to(page, painter.get_by_role("button", name="Fill it all"))
    page.keyboard.press("Enter")
    expect(verdict(painter)).to_contain_text("on no style picture: The rest")
    steps.tab_to(page, second)
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    steps.tab_to(page, painter.get_by_role("button", name="Fill it all"))
    page.keyboard.press("Space")
    expect(verdict(painter)).to_contain_text("one region")
    page.keyboard.press("Escape")
    expect(painter).to_be_hidden()
    expect(page.get_by_role("button", name="Paint regions")).to_be_focused()
    page.keyboard.press("Enter")
    expect(painter).to_be_visible()
    expect(painter.get_by_role("button", name="Undo")).to_be_enabled()  # nothing is lost


def test_masks_that_were_painted_for_other_pictures_are_not_handed_in(
    page: Page, painter: Locator
) -> None:
    by_mouse(page, places(painter, *STROKE))
    turn_to(painter, "Style 1")
    by_mouse(page, places(painter, *STROKE))
    painter.get_by_role("button", name="Use these").click()
    page.get_by_role("button", name="Woodcut", exact=True).click()
    steps.press_paint(page)
    fault = page.locator("#masks-fault")
    expect(fault).to_contain_text("painted for other pictures")
    expect(page.get_by_role("button", name="Change the regions")).to_be_focused()
    page.get_by_role("button", name="Change the regions").click()
    expect(painter.get_by_role("tab", name="Style 2: Woodcut")).to_be_visible()
    painter.get_by_role("button", name="Use these").click()
    expect(painter).to_be_hidden()
    expect(fault).to_be_empty()
    assert [sorted(mask["colours"]) for mask in masks(page)] == [[BLACK, RED]] * 2 + [[BLACK]]
    page.get_by_role("button", name="Remove the masks").click()
    expect(page.get_by_role("img", name="Mask of")).to_have_count(0)
    assert masks(page) == []


def test_without_pictures_to_paint_over_it_says_so(page: Page) -> None:
    page.goto("/")
    page.get_by_text("More settings").click()
    page.get_by_role("button", name="Paint regions").click()
    fault = page.locator("#masks-fault")
    expect(fault).to_contain_text("Choose a photograph")
    steps.choose(page, content=steps.file("hill.tif", style_picture(80, 80, "TIFF")))
    page.get_by_role("button", name="Paint regions").click()
    expect(fault).to_contain_text("Browsers do not show TIFF")
    expect(page.get_by_role("dialog", name="Paint regions")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_telephone_all_of_it_is_in_reach(page: Page, painter: Locator, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    assert painter.evaluate("it => it.scrollWidth - it.clientWidth") == 0
    for name in "Undo", "Fill it all", "Use these regions", "Not now":
        button = painter.get_by_role("button", name=name)
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport()
    for radio in painter.locator(".colours label").all():
        box = radio.bounding_box()
        assert box is not None
        assert box["height"] >= 40
