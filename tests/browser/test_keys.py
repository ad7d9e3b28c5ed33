"""The page of a service with keys: it asks for one once, and then everything goes on."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from app import keys
from tests.browser import steps
from tests.browser.axe import serious_findings
from tests.house import House

ANNA, ANNAS = keys.new("anna")
ROOT, ROOTS = keys.new("root", admin=True)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with keys."""
    folder = tmp_path_factory.mktemp("locked")
    with House(folder, ATELIER_API_KEYS=f"{ANNAS.entry} {ROOTS.entry}") as running:
        yield running


@pytest.fixture
def refusals() -> set[int]:
    return {401}


@pytest.fixture
def door(page: Page) -> Locator:
    """The dialog, on a page that was just opened."""
    page.goto("/")
    door = page.get_by_role("dialog", name="This Atelier asks for a key")
    expect(door).to_be_visible()
    return door


def enter(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Enter").click()


def test_the_whole_way_with_a_key(page: Page, door: Locator, house: House) -> None:
    addresses: list[str] = []
    page.on("request", lambda asked: addresses.append(asked.url))
    enter(page, ANNA)
    expect(door).to_be_hidden()
    expect(page.get_by_text("Signed in as anna.")).to_be_visible()
    steps.choose(page)
    steps.paint(page, size=64)
    steps.expect_result(page)
    assert steps.result(page).evaluate("it => [it.naturalWidth, it.naturalHeight]") == [64, 48]
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the picture").click()
    assert saving.value.path().read_bytes().startswith(b"\x89PNG")
    assert not [address for address in addresses if "atl_" in address or "key" in address]
    assert ANNA not in house.output


def test_by_keyboard_alone_and_escape_does_not_pass(page: Page, door: Locator) -> None:
    key = page.get_by_label("Key", exact=True)
    expect(key).to_be_focused()
    for _ in range(3):  # the second time some browsers do not ask whether they may
        page.keyboard.press("Escape")
    expect(door).to_be_visible()
    page.keyboard.type(ANNA)
    page.keyboard.press("Enter")
    expect(door).to_be_hidden()


def test_the_door_is_for_everyone(page: Page, door: Locator) -> None:
    enter(page, "atl_none-of-ours")
    expect(door.get_by_role("alert")).to_contain_text("not known")
    assert serious_findings(page) == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "Enter your key."),
        ("atl_none-of-ours", "This key is not known here."),
        ("ключ", "This key is not known here."),
    ],
)
def test_what_does_not_open_is_explained(page: Page, door: Locator, key: str, words: str) -> None:
    enter(page, key)
    expect(door.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label("Key", exact=True)).to_be_focused()
    enter(page, f" {ANNA} ")
    expect(door).to_be_hidden()


def test_a_key_is_asked_for_once_and_stays_in_no_place_that_scripts_read(
    page: Page, door: Locator
) -> None:
    enter(page, ANNA)
    expect(door).to_be_hidden()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    page.reload()
    expect(page.get_by_text("Signed in as anna.")).to_be_visible()
    expect(door).to_be_hidden()
    kept = page.evaluate(
        "[document.cookie, ...Object.values({...localStorage, ...sessionStorage})]"
    )
    assert [text for text in kept if text] == []


def test_who_signs_out_is_asked_again_and_the_session_is_gone(page: Page, door: Locator) -> None:
    enter(page, ANNA)
    expect(door).to_be_hidden()
    (cookie,) = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(door).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_be_hidden()
    assert page.context.cookies() == []
    with httpx.Client(base_url=page.url, cookies={"atelier_session": cookie["value"]}) as thief:
        assert thief.get("/v1/session").status_code == 401


def test_a_session_that_ends_meanwhile_is_asked_for_and_the_pictures_stay(
    page: Page, door: Locator
) -> None:
    enter(page, ANNA)
    steps.choose(page)
    page.get_by_label("Size", exact=True).fill("64")
    page.get_by_text("Draft", exact=True).click()
    steps.ask_for(page, steps=steps.FEW)
    page.context.clear_cookies()
    page.get_by_role("button", name="Paint", exact=True).dispatch_event("click")
    expect(door).to_be_visible()
    enter(page, ANNA)
    steps.expect_result(page)


def test_a_link_to_a_painting_leads_there_through_the_door(
    page: Page, door: Locator, house: House
) -> None:
    with httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {ANNA}"}) as api:
        job = steps.submit(api)
    page.goto(f"/?job={job}")
    expect(door).to_be_visible()
    enter(page, ANNA)
    steps.expect_result(page)


def test_the_description_is_shown_and_nothing_is_asked_of_other_hosts(
    page: Page, house: House
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/docs")
    expect(page.get_by_role("heading", name="Atelier", level=1)).to_be_visible()
    page.get_by_role("link", name="/v1/jobs", exact=True).first.click()
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    page.get_by_role("button", name="Try it out").first.click()
    expect(page.get_by_role("button", name="Execute")).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith((house.url, "data:", "blob:"))] == []


def test_the_door_is_narrow_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 560})
    page.goto("/")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert steps.sideways(page) == 0
    page.get_by_label("Key", exact=True).fill("x" * 200)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert").filter(has_text="not known")).to_be_visible()
    assert steps.sideways(page) == 0


# The operator's page.


def test_who_is_no_admin_is_told_so_and_sees_nothing_of_the_house(
    page: Page, house: House, refusals: set[int]
) -> None:
    refusals.add(403)
    with httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {ROOT}"}) as api:
        job = steps.submit(api)
    page.goto("/admin")
    expect(page.get_by_role("dialog")).to_be_visible()
    enter(page, ANNA)
    expect(page.get_by_role("alert").filter(has_text="role of an admin")).to_be_visible()
    expect(page.locator("#house")).to_be_hidden()
    assert job[:8] not in page.content()
    page.goto("/")
    expect(page.get_by_text("Signed in as anna.")).to_be_visible()
    expect(page.get_by_role("link", name="the house")).to_be_hidden()


def test_an_admin_sees_whose_each_job_is(page: Page, house: House) -> None:
    with httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {ANNA}"}) as api:
        job = steps.submit(api)
    page.goto("/")
    enter(page, ROOT)
    page.get_by_role("link", name="the house").click()
    shown = page.locator("#jobs li").filter(has_text=job[:8])
    expect(shown).to_contain_text("anna · ")
    expect(page.locator("#workers")).to_contain_text("the bundled features")
