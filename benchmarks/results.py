"""Measures everything that takes minutes, and writes what it said to benchmarks/results.md.

    make bench

The machine should do nothing else meanwhile. By estimate forty minutes on two cores; most of it is
neural-style, whose losses are kept for the next time.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import machine

_FILE = Path(__file__).with_name("results.md")

_PEERS = ".bench-venv/bin/python"

#: Each with its question.
_COMMANDS = {
    "A step, beside PyTorch's": ("engine", "--torch", _PEERS, "--rounds", "2"),
    "Time to the loss of neural-style": ("time_to_loss", "--neural-style", _PEERS),
    "A worker's first step, and its idle time": ("readiness", "--jobs", "12"),
    "Growth with the picture": ("growth",),
    "Checkpoints and heartbeats": ("safety",),
}


def main() -> None:
    """Runs each, and writes the file anew after each, so that none is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=_PEERS, help="interpreter that has the peers")
    asked = parser.parse_args()
    parts = [f"# What was measured\n\n{machine.description()}; {time.strftime('%B %Y')}.\n"]
    for title, (module, *options) in _COMMANDS.items():
        words = ["-m", f"benchmarks.{module}", *options]
        print(f"{title}...", flush=True)
        began = time.monotonic()
        said = _said([word.replace(_PEERS, asked.peers) for word in words])
        minutes = (time.monotonic() - began) / 60
        command = f"    .venv/bin/python {' '.join(words)}"
        parts.append(f"## {title}\n\n{command}\n\nIn {minutes:.1f} minutes:\n\n{said}\n")
        _FILE.write_text("\n".join(parts), encoding="utf-8")
    print(f"Written: {_FILE.name}")


def _said(words: list[str]) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"It failed: {done.stderr.splitlines()[-1]}"
    return done.stdout.strip()


if __name__ == "__main__":
    main()
