"""What the numbers were measured on, in a line."""

import os
import platform
from importlib.metadata import version

from model.processor import instructions

#: What makes the difference for products, in float32 and in bfloat16.
_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def description() -> str:
    """Cores, instruction sets, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{os.cpu_count()} cores ({', '.join(_known()) or platform.machine()})",
        f"{memory:.0f} GiB",
        f"Python {platform.python_version()}",
        f"TensorFlow {version('tensorflow')}",
    )
    return ", ".join(parts)


def _known() -> list[str]:
    has = instructions()
    return [flag for flag in _FLAGS if flag in has]
