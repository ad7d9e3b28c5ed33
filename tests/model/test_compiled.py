"""Graphs that XLA compiles while they are computed as they are."""

import logging
import threading
import time
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model import compiled
from model.compiled import Compiled

PATIENCE_SECONDS = 120.0

VECTOR = tf.TensorSpec([None])


def softened(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.nn.softplus(x) * y


def ask(function: Compiled, length: int) -> Any:
    ones = tf.ones([length])
    return function(ones, 2.0 * ones).numpy()


def wait_for(function: Compiled, *lengths: int) -> None:
    """Until it is compiled for vectors of these lengths."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not {(length,) for length in lengths} <= function._ready:
        assert time.monotonic() < deadline, function._ready
        threading.Event().wait(0.01)


def test_nobody_waits_for_xla_and_what_it_compiled_says_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = Compiled(softened, VECTOR, VECTOR, device="cpu")
    with compiled._ONE_AT_A_TIME:  # as if it took for ever
        at_once = ask(function, 3)
        assert function.is_busy
        assert not function._ready
    wait_for(function, 3)
    assert not function.is_busy
    # From now on the graph is not asked any more, nor anything compiled a second time.
    monkeypatch.setattr(function, "_plain", None)
    np.testing.assert_allclose(ask(function, 3), at_once, rtol=1e-6)
    np.testing.assert_allclose(at_once, 2 * np.log1p(np.e), rtol=1e-6)


def test_each_size_is_compiled_once() -> None:
    function = Compiled(softened, VECTOR, VECTOR, device="cpu")
    for length in (2, 5, 2, 5):
        assert ask(function, length).shape == (length,)
    wait_for(function, 2, 5)
    assert function._ready == function._met == {(2,), (5,)}


def test_sizes_beyond_a_number_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_MOST_SIZES", 1)
    function = Compiled(softened, VECTOR, VECTOR, device="cpu")
    for length in (2, 5):
        assert ask(function, length).shape == (length,)
    wait_for(function, 2)
    assert function._met == {(2,)}


def test_what_xla_cannot_compile_stays_a_graph(caplog: pytest.LogCaptureFixture) -> None:
    def spelled(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.strings.to_number(tf.strings.as_string(x)) + y

    function = Compiled(spelled, VECTOR, VECTOR, device="cpu")
    with caplog.at_level(logging.WARNING, "model.compiled"):
        assert ask(function, 2).tolist() == [3.0, 3.0]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while function.is_busy:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    assert "XLA cannot compile for (2,)" in caplog.text
    assert ask(function, 2).tolist() == [3.0, 3.0]
    assert not function._ready
    assert not function.is_busy
