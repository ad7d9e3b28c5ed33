"""What TensorBoard finds, read back with TensorFlow's own reader."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from model import recipes, summaries
from model.images import decode
from model.painting import Studio
from model.params import StyleTransferParams
from model.sitting import Array, Sitting
from model.summaries import Summaries

STYLE_LAYERS = [f"block{block}_conv1" for block in (1, 2, 3, 4, 5)]
LOSSES = {
    *("content/block3_conv2", "content/edges_afar"),
    *(f"style/{layer}" for layer in STYLE_LAYERS),
    *("style/block1_conv1_afar", "style/block2_conv1_afar"),
    *("tv", "total"),
}

#: By tag, and there by step.
Found = dict[str, dict[int, Any]]


def values(folder: Path, plugin: str) -> Found:
    """All values of a plugin."""
    found: Found = defaultdict(dict)
    for event in events(folder):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == plugin:
                assert event.step not in found[value.tag], "each once"
                found[value.tag][event.step] = tf.make_ndarray(value.tensor)
    return found


def events(folder: Path) -> Iterator[Any]:
    (file,) = folder.glob("events.out.tfevents.*")
    for record in tf.data.TFRecordDataset(str(file), buffer_size=2**20):
        yield tf.compat.v1.Event.FromString(record.numpy())


@pytest.fixture
def sitting(photo: Array, strokes: Array) -> Sitting:
    """One of two scales."""
    params = StyleTransferParams(size=192, quality="draft", steps=7)
    return Sitting.prepare(photo, [strokes], params)


@pytest.fixture
def folder(
    studio: Studio, sitting: Sitting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where a run has written, a folder that was not there before."""
    monkeypatch.setattr(summaries, "PICTURE_EVERY", 6)
    run, folder = studio.begin(sitting), tmp_path / "runs" / "first"
    with Summaries(folder, sitting.scales) as notes:
        while not run.done:
            notes.note(run, run.advance(1))
    return folder


def test_every_layers_loss_is_there_at_every_step(folder: Path) -> None:
    found = values(folder, "scalars")
    assert set(found) == {f"loss/{name}" for name in LOSSES}
    for tag, by_step in found.items():
        assert sorted(by_step) == list(range(7)), tag
    for step in range(7):
        parts = [float(by_step[step]) for tag, by_step in found.items() if tag != "loss/total"]
        assert float(found["loss/total"][step]) == pytest.approx(sum(parts), rel=1e-5)


def test_pictures_are_there_now_and_then_and_at_the_end_of_each_scale(
    folder: Path, sitting: Sitting
) -> None:
    first, last = sitting.scales
    painting = values(folder, "images")["painting"]
    assert sorted(painting) == sorted({first.steps, 6, 7})
    for step, scale in ((first.steps, first), (7, last)):
        width, height, picture = painting[step]
        assert (int(width), int(height)) == (scale.width, scale.height)
        assert decode(picture).rgb.shape == (scale.height, scale.width, 3)


def test_the_scales_are_known_from_the_size_of_the_content_picture(sitting: Sitting) -> None:
    assert recipes.scales(sitting.params, 64, 48) == sitting.scales
