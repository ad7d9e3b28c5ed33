"""axe-core looks at a page as it is: what people with other eyes and hands would stumble over."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_VENDOR = Path(__file__).with_name("vendor") / "axe-core"

_RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, nodes }) =>
        [impact, id, nodes.map(({ html, any }) => [html, any[0]?.message ?? ""])]);
}"""

#: In CSS pixels: a telephone and a desk.
_WIDTHS = (390, 1280)


@cache
def _script() -> str:
    return (_VENDOR / "axe.min.js").read_text(encoding="utf-8")


def serious_findings(page: Page) -> list[Any]:
    """What axe-core calls serious or critical, on two widths, in light and dark."""
    page.evaluate(_script())  # by the debugger's way in, which no policy of the page closes
    page.emulate_media(reduced_motion="reduce")  # colours on their way to others are no findings
    found = []
    for width in _WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [
                (width, scheme, *finding)
                for finding in page.evaluate(_RUN)
                if finding[0] in {"serious", "critical"}
            ]
    return found
