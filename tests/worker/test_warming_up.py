"""A device before its first graphs are there: its real thread, without Redis and intake threads."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model import weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.sitting import Sitting
from worker.assignment import Assignment, Interrupted
from worker.device import Device

#: A deadline for what takes no time on an idle machine.
SOON = 30.0


@pytest.fixture
def studio() -> Studio:
    return Studio(weights.load("bundled", Path()), precision="float32")


@pytest.fixture
def tracing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Is set while the graphs are being traced, which goes on until the test is over."""
    begun, over = threading.Event(), threading.Event()

    def begin(_sitting: Sitting) -> Any:
        begun.set()
        over.wait()
        raise AssertionError("nobody waits for this")

    monkeypatch.setattr(studio, "begin", begin)
    yield begun
    over.set()


def assigned(device: Device) -> Assignment:
    grey = np.full((64, 64, 3), 0.5, np.float32)
    params = StyleTransferParams(size=64, quality="draft", steps=1)
    assignment = Assignment(Sitting.prepare(grey, [grey], params), None, timeout_seconds=3600.0)
    device.hand_over(assignment)
    return assignment


def test_a_house_that_stops_does_not_wait_until_a_device_is_warm(
    studio: Studio, tracing: threading.Event
) -> None:
    device, coord = Device(studio), tf.train.Coordinator()
    assignment = assigned(device)
    thread = threading.Thread(target=device.run, args=[coord], daemon=True)
    thread.start()
    assert tracing.wait(SOON)
    coord.request_stop()
    thread.join(SOON)
    assert not thread.is_alive()
    assert isinstance(assignment.outcome, Interrupted), "it goes back to the queue"
    assert not device.warm.is_set()
    assert device.lost is None


def test_a_device_that_fails_as_it_warms_up_is_lost(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_sitting: Sitting) -> Any:
        raise tf.errors.InternalError(None, None, "out of order")

    monkeypatch.setattr(studio, "begin", begin)
    device, coord = Device(studio), tf.train.Coordinator()
    device.run(coord)
    assert device.lost == "InternalError"
    assert device.warm.is_set(), "nobody need wait for it"
    assert not coord.should_stop(), "others may paint"
    with pytest.raises(tf.errors.CancelledError):
        assigned(device)


def test_an_error_of_the_house_while_a_device_warms_up_ends_the_house(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_sitting: Sitting) -> Any:
        raise ArithmeticError("a defect")

    monkeypatch.setattr(studio, "begin", begin)
    device, coord = Device(studio), tf.train.Coordinator()
    device.run(coord)
    assert device.lost is None
    with pytest.raises(ArithmeticError):
        coord.join([])
