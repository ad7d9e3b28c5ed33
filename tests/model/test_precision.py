"""Which number format the convolutions run in, and by which algorithm."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from model import processor
from model.precision import Arithmetic, fastest


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the file in which Linux says what the processor can do."""
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "Path", {"/proc/cpuinfo": file}.__getitem__)
    return file


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
@pytest.mark.parametrize("device", ["cpu", "gpu:0"])
def test_what_is_asked_for_is_taken_on_any_device(name: Any, device: str) -> None:
    assert fastest(name, device).dtype == tf.as_dtype(name)


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
    assert fastest("auto", "cpu").dtype == dtype


def test_a_processor_that_says_nothing_is_given_float32(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert fastest("auto", "cpu").dtype == tf.float32


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
    assert fastest("auto", "gpu:1").dtype == dtype


@pytest.mark.parametrize(
    ("flags", "precision", "pays"),
    [
        ("fpu avx2 avx512f avx512_bf16", "bfloat16", True),
        ("fpu avx512_bf16 amx_tile amx_bf16", "bfloat16", False),
        ("fpu avx512_bf16 amx_tile amx_bf16", "float32", True),
        ("fpu avx2", "float32", True),
    ],
)
def test_fewer_multiplications_pay_on_a_processor_that_has_no_matrix_unit_for_them(
    cpuinfo: Path, flags: str, precision: Any, *, pays: bool
) -> None:
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
    assert fastest(precision, "cpu").winograd is pays


@pytest.mark.parametrize(
    ("flags", "precision", "pays"),
    [
        ("fpu avx avx2 fma", "float32", True),
        ("fpu avx avx2 fma", "bfloat16", False),
        ("fpu avx2 avx512f", "float32", False),
        ("fpu avx", "float32", False),
    ],
)
def test_transposed_convolutions_pay_in_float32_with_avx2_alone(
    cpuinfo: Path, flags: str, precision: Any, *, pays: bool
) -> None:
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
    assert fastest(precision, "cpu").transposed is pays


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fewer_multiplications_pay_on_a_processor_that_says_nothing(
    cpuinfo: Path, precision: Any
) -> None:
    assert not cpuinfo.exists()
    assert fastest(precision, "cpu") == Arithmetic(tf.as_dtype(precision), winograd=True)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_is_left_to_choose_the_algorithm_itself(precision: Any) -> None:
    assert fastest(precision, "gpu:0") == Arithmetic(tf.as_dtype(precision))
