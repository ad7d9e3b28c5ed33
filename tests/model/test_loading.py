import os
import subprocess
import sys

import pytest

from model.processor import instructions

LOADS = """
import gc, sys
from model.loading import load_tensorflow
load_tensorflow()
assert "tensorflow" in sys.modules
assert gc.isenabled() and gc.get_freeze_count() > 100_000
assert not [name for name in sys.modules if name.partition(".")[0] == "keras"]
import tensorflow as tf
assert tf.keras.losses.MeanSquaredError()([1.0], [1.0]) == 0.0
import keras.src.optimizers
"""


def test_tensorflow_is_loaded_in_silence_not_as_garbage_and_keras_comes_when_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS], check=True, capture_output=True, text=True, timeout=120
    )

    assert not done.stdout
    assert not [line for line in done.stderr.splitlines() if "oneDNN" in line]


@pytest.mark.parametrize(("asked", "found"), [(None, "1"), ("0", "0")])
def test_tensorflow_multiplies_through_onednn_with_avx2_unless_told_otherwise(
    asked: str | None, found: str
) -> None:
    name = "TF_ENABLE_ONEDNN_OPTS"
    environment = {k: v for k, v in os.environ.items() if k != name}
    told = {name: asked} if asked else {}
    code = f"import model, os; print(os.environ.get({name!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | told,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    has_avx2 = "avx2" in instructions()
    assert done.stdout.strip() == (found if has_avx2 else str(asked))
