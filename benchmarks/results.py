"""Measures everything that takes minutes, and writes what it said to benchmarks/results.md.

    make bench
    make bench OPTIONS="--only readiness growth"    # anew, beside what the file has of this machine

The machine should do nothing else meanwhile. A part that fails leaves what was measured before, and
the exit code is 1.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import machine

_FILE = Path(__file__).with_name("results.md")

_PEERS = ".bench-venv/bin/python"

#: By its module, each with its question and options.
_PARTS = {
    "engine": ("A step, beside PyTorch's", "--torch", _PEERS),
    "time_to_loss": ("Time to the loss of neural-style", "--peers", _PEERS),
    "readiness": ("A worker's first step, and its idle time", "--jobs", "4", "--rounds", "1"),
    "growth": ("Growth with the picture",),
    "safety": ("Checkpoints and heartbeats",),
}


def main() -> None:
    """Runs each, and writes the file anew after each, so that none is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=_PEERS, help="interpreter that has the peers")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=list(_PARTS), metavar="PART")
    asked = parser.parse_args()
    header = f"# What was measured\n\n{machine.description()}; {time.strftime('%B %Y')}.\n\n"
    found = _measured_before(header)
    failed = []
    for module in asked.only:
        title, *options = _PARTS[module]
        words = ["-m", f"benchmarks.{module}", *options]
        print(f"{title}...", flush=True)
        began = time.monotonic()
        said = _said([word.replace(_PEERS, asked.peers) for word in words])
        minutes = (time.monotonic() - began) / 60
        if said is None:
            failed.append(title)
            continue
        command = f"    .venv/bin/python {' '.join(words)}"
        found[title] = f"{command}\n\nIn {minutes:.1f} minutes:\n\n{said}\n"
        parts = [f"## {title}\n\n{found[title]}" for title, *_ in _PARTS.values() if title in found]
        _FILE.write_text(header + "\n".join(parts), encoding="utf-8")
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}")
    print(f"Written: {_FILE.name}")


def _measured_before(header: str) -> dict[str, str]:
    """The parts of the file by title; none if it is of another machine or month."""
    text = _FILE.read_text(encoding="utf-8") if _FILE.exists() else ""
    if not text.startswith(header):
        return {}
    parts = text.removeprefix(header + "## ").split("\n## ")
    return dict(part.split("\n\n", 1) for part in parts)


def _said(words: list[str]) -> str | None:
    """What a part prints; None if it fails, and then it has said why."""
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else done.stdout.strip()


if __name__ == "__main__":
    main()
