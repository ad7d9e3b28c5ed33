"""Which number format the convolutions run in, and by which algorithm."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from model import precision
from model.precision import compute_dtype, winograd_pays


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the file in which Linux says what the processor can do."""
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(precision, "Path", {"/proc/cpuinfo": file}.__getitem__)
    return file


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
@pytest.mark.parametrize("device", ["cpu", "gpu:0"])
def test_what_is_asked_for_is_taken_on_any_device(name: Any, device: str) -> None:
    assert compute_dtype(name, device) == tf.as_dtype(name)


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("fpu avx2 avx512f avx512_bf16", tf.bfloat16),
        ("fpu amx_tile amx_bf16", tf.bfloat16),
        ("fpu avx2 avx512f avx512_vnni", tf.float32),
    ],
)
def test_a_processor_that_multiplies_bfloat16_is_given_it(
    cpuinfo: Path, flags: str, dtype: tf.DType
) -> None:
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
    assert compute_dtype("auto", "cpu") == dtype


def test_a_processor_that_says_nothing_is_given_float32(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert compute_dtype("auto", "cpu") == tf.float32


@pytest.mark.parametrize(
    ("details", "dtype"),
    [
        ({"compute_capability": (7, 5)}, tf.float32),
        ({"compute_capability": (8, 0)}, tf.bfloat16),
        ({"compute_capability": (9, 0)}, tf.bfloat16),
        ({}, tf.float32),
    ],
)
def test_a_gpu_is_given_bfloat16_from_ampere_on(
    monkeypatch: pytest.MonkeyPatch, details: dict[str, object], dtype: tf.DType
) -> None:
    known = {"first": {"compute_capability": (1, 0)}, "second": details}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["first", "second"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", known.__getitem__)
    assert compute_dtype("auto", "gpu:1") == dtype


@pytest.mark.parametrize(
    ("flags", "dtype", "pays"),
    [
        ("fpu avx2 avx512f avx512_bf16", tf.bfloat16, True),
        ("fpu avx512_bf16 amx_tile amx_bf16", tf.bfloat16, False),
        ("fpu avx512_bf16 amx_tile amx_bf16", tf.float32, True),
        ("fpu avx2", tf.float32, True),
    ],
)
def test_fewer_multiplications_pay_on_a_processor_that_has_no_matrix_unit_for_them(
    cpuinfo: Path, flags: str, dtype: tf.DType, *, pays: bool
) -> None:
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
    assert winograd_pays(dtype, "cpu") is pays


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_fewer_multiplications_pay_on_a_processor_that_says_nothing(
    cpuinfo: Path, dtype: tf.DType
) -> None:
    assert not cpuinfo.exists()
    assert winograd_pays(dtype, "cpu")


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_a_gpu_is_left_to_choose_the_algorithm_itself(dtype: tf.DType) -> None:
    assert not winograd_pays(dtype, "gpu:0")
