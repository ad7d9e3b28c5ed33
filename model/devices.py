"""The devices of this machine, made ready for painting."""

import tensorflow as tf

from model.errors import AtelierError
from model.precision import fastest


class DeviceError(AtelierError):
    """A device that was asked for is not there."""

    slug = "no-such-device"
    title = "No such device"


def open_devices(spec: str) -> list[str]:
    """Makes devices ready; to be called once, before anything is computed.

    Where only the CPU paints, operations become deterministic: the same picture each time, byte for
    byte. GPUs are then left to others; TensorFlow would take their memory by itself. On a GPU the
    fastest algorithms are chosen by trying them out instead, and pictures are the same up to
    rounding: a step of 1024 x 1024 pixels takes 0.58 times as long (docs/performance.md). A GPU's
    memory is taken as needed rather than whole.

    On a CPU that computes in float32 graphs are taken as they are traced: to optimise them first
    takes 0.7 to 1.0 s of a start, and no step was faster for it.

    Args:
        spec: ``auto`` (all GPUs, or else the CPU), ``cpu``, or a list such as ``gpu:0,gpu:1``.

    Returns:
        Their names: ``cpu``, or ``gpu:N`` in the order asked for.

    Raises:
        DeviceError: one of them is not there.
    """
    asked = [name.strip().lower() for name in spec.split(",")]
    gpus = [] if asked == ["cpu"] else tf.config.list_physical_devices("GPU")
    present = [f"gpu:{index}" for index in range(len(gpus))]
    names = (present or ["cpu"]) if asked == ["auto"] else asked
    for name in names:
        if name not in {"cpu", *present} or names.count(name) > 1:
            here = ", ".join(["cpu", *present])
            raise DeviceError(f"The devices of this machine are: {here}. Received: {spec!r}.")
    if names == ["cpu"]:
        tf.config.set_visible_devices([], "GPU")
        tf.config.experimental.enable_op_determinism()
        is_optimised = fastest("auto", "cpu").dtype != tf.float32
        options = {"disable_meta_optimizer": not is_optimised}
        tf.config.optimizer.set_experimental_options(options)
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, enable=True)
    return names
