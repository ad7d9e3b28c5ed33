"""What a person does on the page, step by step; shared by the tests of the page."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.pictures import photograph, style_picture

#: Until a small draft is painted, on a busy machine with two cores.
PAINTED_MS = 60_000

#: Numbers of steps: of a painting that is over at once, and has a preview and a loss curve all the
#: same; of one that is seen being painted, for a few seconds; of one that outlasts its test.
FEW, SOME, ENDLESS = 3, 60, 5000

#: Writes a number of steps into its field, where the settings around it are closed as well.
_ASK_FOR_STEPS = """(field, steps) => {
    field.value = steps;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}"""

#: Until an element has this text, by whoever changes it; fails after so many milliseconds.
_UNTIL_IT_SAYS = """(place, [words, within]) => new Promise((resolve, reject) => {
    const look = () => place.textContent === words && resolve();
    new MutationObserver(look).observe(place, { childList: true, characterData: true });
    setTimeout(() => reject(new Error(`It says ${place.textContent}, not ${words}.`)), within);
    look();
})"""

#: Hands a file over as the system would: by dropping it on an element, or by pasting it there.
_HAND_OVER = """(place, [way, name, head, megabytes]) => {
    const data = new DataTransfer();
    const parts = [new Uint8Array(head), new Uint8Array(megabytes * 2 ** 20)];
    data.items.add(new File(parts, name));
    const options = { bubbles: true, cancelable: true };
    place.dispatchEvent(way === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent("drop", { ...options, dataTransfer: data }));
}"""


def file(name: str, data: bytes) -> FilePayload:
    """A file to choose."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def photo() -> FilePayload:
    """A photograph to choose."""
    return file("hill.jpg", photograph(96, 72))


def painting(name: str = "waves.png") -> FilePayload:
    """A picture to take the style from."""
    return file(name, style_picture(80, 80))


def choose(
    page: Page, content: FilePayload | None = None, styles: Sequence[FilePayload] = ()
) -> None:
    """Chooses pictures without a look at the dialog."""
    page.get_by_label("Choose a photograph").set_input_files(content or photo())
    page.get_by_label("Your own painting").set_input_files(styles or [painting()])
    expect(page.locator(".chosen")).to_have_count(2)


def paint(page: Page, *, size: int, quality: str = "Draft", steps: int | None = FEW) -> None:
    """Sets the settings and presses the one button. Without steps they are as the quality says."""
    page.get_by_label("Size", exact=True).fill(str(size))
    page.get_by_text(quality, exact=True).click()
    if steps is not None:
        ask_for(page, steps=steps)
    press_paint(page)


def ask_for(page: Page, *, steps: int) -> None:
    """Sets the number of steps without a look at the settings that it is among."""
    page.locator("[name=steps]").evaluate(_ASK_FOR_STEPS, str(steps))


def press_paint(page: Page) -> None:
    """Presses the one button."""
    page.get_by_role("button", name="Paint", exact=True).click()


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    expect(target).to_be_focused()


def hand_over(
    place: Locator, way: Literal["drop", "paste"], name: str, head: bytes, *, megabytes: int = 0
) -> None:
    """Drops a file on a place, or pastes it there: a head, and that many megabytes of zeros."""
    place.evaluate(_HAND_OVER, [way, name, list(head), megabytes])


def submit(api: httpx.Client, *, size: int = 64, steps: int = FEW) -> str:
    """Hands a job in without the page; returns its id."""
    files = [("content", photograph(96, 72)), ("style", style_picture(80, 80))]
    fields = {"size": str(size), "quality": "draft", "steps": str(steps)}
    answer = api.post("/v1/jobs", files=files, data=fields)
    return str(answer.raise_for_status().json()["id"])


def job_id(page: Page) -> str:
    """The job that the address names."""
    return parse_qs(urlsplit(page.url).query)["job"][0]


def easel(page: Page) -> Locator:
    """Where a job is shown."""
    return page.locator("#easel")


def result(page: Page) -> Locator:
    """The finished painting."""
    return page.get_by_role("img", name="The finished painting")


def preview(page: Page) -> Locator:
    """The painting while it is made."""
    return page.get_by_role("img", name="The painting so far")


def expect_status(page: Page, words: str) -> None:
    """Waits for the job to be in a state."""
    expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible(timeout=PAINTED_MS)


def catch_painting(page: Page) -> None:
    """Waits for the job to be painted, and is told at once: ``SOME`` steps are soon over.

    What waits for a status looks once a second in the end.
    """
    page.locator("#easel-title").evaluate(_UNTIL_IT_SAYS, ["Painting", PAINTED_MS])
    expect_status(page, "Painting")


def expect_result(page: Page) -> None:
    """Waits for the finished painting, in its natural size and whole."""
    expect_status(page, "Your painting")
    expect(result(page)).to_be_visible()
    expect(preview(page)).to_have_count(0)


def sideways(page: Page) -> int:
    """How far the page scrolls sideways, in pixels."""
    return int(page.evaluate("(it => it.scrollWidth - it.offsetWidth)(document.documentElement)"))
