"""How convolutions are computed on a device: in which number format, and by which algorithm.

Only the convolutions: image, losses, Gram sums and optimiser state are float32 everywhere.
"""

from pathlib import Path
from typing import Literal

import tensorflow as tf

Precision = Literal["auto", "float32", "bfloat16"]

#: First NVIDIA generation with bfloat16 tensor cores: Ampere.
_AMPERE = (8, 0)


def compute_dtype(precision: Precision, device: str) -> tf.DType:
    """The number format of the convolutions.

    Args:
        precision: ``auto`` takes bfloat16 where the hardware multiplies it natively; emulated, it
            is slower than float32.
        device: ``cpu`` or ``gpu:N``.

    Returns:
        ``tf.bfloat16`` or ``tf.float32``.
    """
    if precision != "auto":
        return tf.as_dtype(precision)
    native = _cpu_has_bfloat16() if device == "cpu" else _gpu_has_bfloat16(device)
    return tf.bfloat16 if native else tf.float32


def winograd_pays(dtype: tf.DType, device: str) -> bool:
    """Whether convolutions take less time with fewer multiplications and more additions.

    With AMX, which multiplies matrices of bfloat16, they take more (docs/performance.md); and on a
    GPU cuDNN chooses by itself.
    """
    return device == "cpu" and not (dtype == tf.bfloat16 and "amx_bf16" in _cpu_flags())


def _cpu_has_bfloat16() -> bool:
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(_cpu_flags())


def _cpu_flags() -> set[str]:
    """What the processor can do, in Linux's words; nothing elsewhere."""
    try:
        return set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return set()


def _gpu_has_bfloat16(device: str) -> bool:
    gpu = tf.config.list_physical_devices("GPU")[int(device.removeprefix("gpu:"))]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return bool(capability >= _AMPERE)
