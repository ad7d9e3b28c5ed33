import subprocess
import sys

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
