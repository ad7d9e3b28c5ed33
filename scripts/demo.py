"""``make demo``: paints one sample job through HTTP, with nothing running before or after."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from app.client import Atelier, Progressed
from model.params import StyleTransferParams

ROOT = Path(__file__).parents[1]
CONTENT, STYLE = (
    ROOT / "app" / "page" / "samples" / "pavilion.jpg",
    ROOT / "app" / "presets" / "starlight.jpg",
)
PAINTING = ROOT / "demo.png"


def main() -> int:
    """Starts everything, hands in the sample pictures, and stops everything."""
    with tempfile.TemporaryDirectory(prefix="atelier-demo-") as folder:
        environment = {**os.environ, "ATELIER_PORT": "0", "ATELIER_DATA_DIR": folder}
        environment.setdefault("ATELIER_FEATURES", "bundled")  # nothing is downloaded
        house = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            url = _address(house)
            if url is None:
                return 1
            PAINTING.write_bytes(_paint(url))
        finally:
            house.send_signal(signal.SIGTERM)
            house.wait()
    print(f"The painting is in {os.path.relpath(PAINTING)}")
    return 0


def _address(house: "subprocess.Popen[str]") -> str | None:
    assert house.stdout is not None
    for line in house.stdout:
        print(line, end="")
        if found := re.search(r"ready at (\S+)", line):
            return found.group(1)
    return None  # it has ended, and said why


def _paint(url: str) -> bytes:
    params = StyleTransferParams(size=256, quality="draft")
    with Atelier(url) as atelier:
        job_id = atelier.submit(CONTENT, [STYLE], params).id
        print(f"{CONTENT.name} in the style of {STYLE.name}: {url}/v1/jobs/{job_id}")
        for event in atelier.stream(job_id):
            if isinstance(event, Progressed):
                print(f"\rpainted {event.progress.fraction:4.0%}", end="", flush=True)
        print()
        return atelier.result(job_id)


if __name__ == "__main__":
    sys.exit(main())
