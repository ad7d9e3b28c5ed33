"""How convolutions are computed on a device: in which number format, and by which algorithm.

Only the convolutions: image, losses, Gram sums and optimiser state are float32 everywhere.
"""

from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from model.processor import instructions

Precision = Literal["auto", "float32", "bfloat16"]

#: First NVIDIA generation with bfloat16 tensor cores: Ampere.
_AMPERE = (8, 0)


@dataclass(frozen=True)
class Arithmetic:
    """How convolutions are computed.

    Attributes:
        dtype: what is multiplied, float32 or bfloat16.
        winograd: whether those of many channels are done in fewer multiplications and more
            additions (``model/winograd.py``).
        transposed: whether the others are gradients of transposed ones (``model/convolutions.py``).
    """

    dtype: tf.DType = tf.float32
    winograd: bool = False
    transposed: bool = False


def fastest(precision: Precision, device: str) -> Arithmetic:
    """The arithmetic that takes the least time on a device, as measured (docs/performance.md).

    Args:
        precision: ``auto`` takes bfloat16 where the hardware multiplies it natively; emulated, it
            is slower than float32.
        device: ``cpu`` or ``gpu:N``. On a GPU cuDNN chooses the algorithm by itself.
    """
    dtype = _number_format(precision, device)
    if device != "cpu":
        return Arithmetic(dtype)
    has = instructions()
    return Arithmetic(
        dtype,
        winograd=not (dtype == tf.bfloat16 and "amx_bf16" in has),
        transposed=dtype == tf.float32 and "avx2" in has and "avx512f" not in has,
    )


def _number_format(precision: Precision, device: str) -> tf.DType:
    if precision != "auto":
        return tf.as_dtype(precision)
    native = _cpu_has_bfloat16() if device == "cpu" else _gpu_has_bfloat16(device)
    return tf.bfloat16 if native else tf.float32


def _cpu_has_bfloat16() -> bool:
    return not instructions().isdisjoint({"avx512_bf16", "amx_bf16"})


def _gpu_has_bfloat16(device: str) -> bool:
    gpu = tf.config.list_physical_devices("GPU")[int(device.removeprefix("gpu:"))]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return bool(capability >= _AMPERE)
