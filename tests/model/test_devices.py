"""The devices of this machine, as ``model.devices`` makes them ready."""

import pytest
import tensorflow as tf

from model.devices import DeviceError, open_devices
from model.precision import fastest


def test_graphs_are_optimised_only_where_steps_are_faster_for_it() -> None:
    assert open_devices("cpu") == ["cpu"]
    is_float32 = fastest("auto", "cpu").dtype == tf.float32
    assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"] == is_float32


def test_a_device_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(DeviceError, match=r"devices of this machine are: cpu.* Received: 'gpu:99'"):
        open_devices("gpu:99")
