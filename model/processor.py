"""What the processor can do."""

from pathlib import Path


def instructions() -> frozenset[str]:
    """The names of its instruction sets, in Linux's words; none elsewhere."""
    try:
        return frozenset(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()
