"""What can be done with a painting, and while one waits for it."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.house import eventually

#: In place of the system's notifications, which a browser without a window does not show.
_NOTIFICATIONS = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title) { super(); shown.push(title); }
};
"""

#: As if somebody looked at another tab.
_LOOK_AWAY = """
Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
document.dispatchEvent(new Event("visibilitychange"));
"""

_LOOK_BACK = """
delete document.hidden;
document.dispatchEvent(new Event("visibilitychange"));
"""


def test_the_painting_is_shown_pixel_by_pixel_and_as_a_whole(page: Page, finished: str) -> None:
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    page.get_by_role("button", name="Zoom to pixels").click()
    lens = page.get_by_role("dialog", name="The painting, pixel by pixel")
    picture = lens.get_by_role("img")
    assert picture.evaluate("it => it.getBoundingClientRect().width * devicePixelRatio") == 64
    page.keyboard.press("Enter")
    expect(lens.get_by_role("button", name="100 %")).to_be_visible()
    page.keyboard.press("Enter")
    expect(lens.get_by_role("button", name="Whole")).to_be_visible()
    page.keyboard.press("Escape")
    expect(lens).to_be_hidden()


def test_a_painting_becomes_the_photograph_of_another(
    page: Page, api: httpx.Client, finished: str
) -> None:
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    page.get_by_role("button", name="Use it as the photograph").click()
    expect(page.locator("#studio-note")).to_contain_text("The painting is the photograph now")
    expect(page.locator("#content").get_by_role("img")).to_have_attribute(
        "alt", f"atelier-{finished[:8]}.png"
    )
    page.get_by_role("button", name="Waves", exact=True).click()
    steps.paint(page, size=64)
    steps.expect_result(page)
    assert api.get(f"/v1/jobs/{steps.job_id(page)}").json()["status"] == "succeeded"


def test_settings_of_a_job_from_elsewhere_are_laid_out_without_its_pictures(
    page: Page, finished: str
) -> None:
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    page.get_by_role("button", name="Again with other settings").click()
    expect(page.locator("#studio-note")).to_contain_text("not on this device")
    expect(page.get_by_label("Size", exact=True)).to_have_value("64")
    expect(page.get_by_label("Draft")).to_be_checked()


def test_the_loss_curve_is_asked_for_when_it_is_opened(page: Page, finished: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    assert not [url for url in asked if url.endswith("/losses")]
    page.get_by_text("Loss curve").click()
    curve = page.get_by_role("img", name="The total loss went from")
    expect(curve.locator("polyline")).to_have_count(3)


def test_the_link_of_a_painting_is_copied_and_opens_it(page: Page, finished: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/?job={finished}")
    steps.expect_result(page)
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    page.goto("/")
    page.goto(address)
    steps.expect_result(page)
    assert steps.job_id(page) == finished


@pytest.mark.usefixtures("api")  # which cancels what is left
def test_several_are_painted_at_a_time_and_the_page_leads_back_to_each(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=64, quality="Fine", steps=steps.ENDLESS)
    steps.expect_status(page, "Painting")
    first = steps.job_id(page)
    page.get_by_role("link", name="Paint another meanwhile").click()
    shelf = page.get_by_role("region", name="Meanwhile")
    expect(shelf.get_by_role("link")).to_contain_text("Painting")
    steps.paint(page, size=64)
    expect(page.get_by_text("Next in line")).to_be_visible()
    second = steps.job_id(page)
    shelf.get_by_role("link", name="Painting").click()
    assert steps.job_id(page) == first
    expect(shelf.get_by_role("link")).to_contain_text("Next in line")
    page.get_by_role("button", name="Cancel").click()
    steps.expect_status(page, "Canceled")
    shelf.get_by_role("link", name="Painted").click(timeout=steps.PAINTED_MS)
    steps.expect_result(page)
    assert steps.job_id(page) == second
    expect(shelf).to_be_hidden()


def paint_and_want_to_be_told(page: Page) -> None:
    page.add_init_script(_NOTIFICATIONS)
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=64, steps=steps.SOME)
    steps.catch_painting(page)
    page.get_by_label("Tell me when it is done").check()


def test_who_looks_elsewhere_is_told_by_the_title_and_by_a_notification_if_wanted(
    page: Page,
) -> None:
    paint_and_want_to_be_told(page)
    page.evaluate(_LOOK_AWAY)
    expect(page).to_have_title("A painting is done · Atelier", timeout=steps.PAINTED_MS)
    assert page.evaluate("shown") == ["A painting is done"]
    page.evaluate(_LOOK_BACK)
    expect(page).to_have_title("Your painting · Atelier")


def test_who_left_the_easel_before_looking_elsewhere_is_told_too(page: Page) -> None:
    paint_and_want_to_be_told(page)
    page.get_by_role("link", name="Paint another meanwhile").click()
    page.evaluate(_LOOK_AWAY)
    expect(page).to_have_title("A painting is done · Atelier", timeout=steps.PAINTED_MS)
    assert page.evaluate("shown") == ["A painting is done"]


@pytest.mark.usefixtures("api")  # which cancels what is left
def test_the_title_tells_of_a_painting_that_is_done_while_another_goes_on(page: Page) -> None:
    page.goto("/")
    steps.choose(page)
    steps.paint(page, size=64, steps=steps.SOME)
    steps.catch_painting(page)
    page.get_by_role("link", name="Paint another meanwhile").click()
    steps.paint(page, size=64, steps=steps.ENDLESS)
    page.evaluate(_LOOK_AWAY)
    expect(page).to_have_title("A painting is done · Atelier", timeout=steps.PAINTED_MS)
    expect(steps.easel(page)).to_contain_text(" left", timeout=steps.PAINTED_MS)
    expect(page).to_have_title("A painting is done · Atelier")
    page.evaluate(_LOOK_BACK)
    expect(page).to_have_title(re.compile("%"))


def test_what_lay_in_the_studio_lies_there_again_after_a_reload(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Choose a photograph").set_input_files(steps.photo())
    page.get_by_role("button", name="Ink", exact=True).click()
    page.get_by_label("Size", exact=True).fill("320")
    eventually(
        lambda: "320" in json.dumps(page.evaluate(_KEPT)),
        within=10,
        what="the studio is remembered",
    )
    page.reload()
    expect(page.get_by_role("img", name="hill.jpg")).to_be_visible()
    ink = page.get_by_role("button", name="Ink", exact=True)
    expect(ink).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Size", exact=True)).to_have_value("320")


#: What the browser keeps of the studio.
_KEPT = """() => new Promise((resolve) => {
    const opening = indexedDB.open("atelier");
    opening.onsuccess = () => {
        const store = opening.result.transaction("keepsakes").objectStore("keepsakes");
        const asked = store.get("studio");
        asked.onsuccess = () => resolve(asked.result?.params ?? null);
        asked.onerror = () => resolve(null);
    };
    opening.onerror = () => resolve(null);
})"""


@pytest.mark.parametrize("state", ["Waiting in line", "Painting", "Canceled", "Your painting"])
def test_a_reload_shows_the_job_as_it_is(page: Page, api: httpx.Client, state: str) -> None:
    running = steps.submit(api, steps=steps.ENDLESS) if state != "Your painting" else None
    job = running if state == "Painting" else steps.submit(api)
    if state == "Canceled":
        api.post(f"/v1/jobs/{job}/cancel")
    page.goto(f"/?job={job}")
    steps.expect_status(page, state)
    page.reload()
    steps.expect_status(page, state)
    expect(page).to_have_title(re.compile("Atelier$"))


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=document.title='owned'>.jpg", "../../../etc/passwd", "\u202egpj.exe"],
)
def test_the_name_of_a_file_is_shown_as_it_is_and_does_nothing(page: Page, name: str) -> None:
    page.goto("/")
    expect(page.get_by_label("Size", exact=True)).to_be_visible()
    picture = page.locator("#content .door input")  # whose label changes
    picture.set_input_files(steps.file(name, steps.photo()["buffer"]))
    shown = page.locator("#content .pictures").get_by_role("img")
    expect(shown).to_have_attribute("alt", name)
    picture.set_input_files(steps.file(name, b"no picture"))
    expect(page.locator("#content-fault")).to_contain_text("is not taken")
    expect(page).to_have_title("Atelier")
