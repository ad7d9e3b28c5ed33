"""Which number format the convolutions run in on a device.

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


def _cpu_has_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _gpu_has_bfloat16(device: str) -> bool:
    gpu = tf.config.list_physical_devices("GPU")[int(device.removeprefix("gpu:"))]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return bool(capability >= _AMPERE)
