"""What a person may ask for, and what is refused by name."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from model.errors import ParameterError
from model.params import MAX_STYLES, StyleTransferParams

BOUNDS: dict[str, tuple[float, float]] = {
    "size": (64, 4096),
    "steps": (1, 5000),
    "content_weight": (0, 1000),
    "style_weight": (0, 1000),
    "tv_weight": (0, 1000),
    "style_scale": (0.1, 4),
    "seed": (0, 2**31 - 1),
}
WHOLE_NUMBERS = {"size", "steps", "seed"}
CHOICES = {
    "quality": {"draft", "standard", "fine"},
    "preset": {"gatys"},
    "preserve_color": {"none", "luminance", "histogram"},
    "init": {"content", "noise", "style"},
    "optimizer": {"adam", "lbfgs"},
    "pooling": {"average", "max"},
    "style_loss": {"gram", "wasserstein"},
    "format": {"png", "jpeg", "webp", "tiff"},
}


def refused_fields(**asked: Any) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        StyleTransferParams(**asked)
    return [str(error["loc"][0]) if error["loc"] else "" for error in refusal.value.errors()]


def outside(field: str) -> list[tuple[str, float]]:
    low, high = BOUNDS[field]
    if field in WHOLE_NUMBERS:
        return [(field, low - 1), (field, high + 1)]
    return [(field, math.nextafter(low, -math.inf)), (field, math.nextafter(high, math.inf))]


@pytest.mark.parametrize(
    ("field", "value"), [(field, bound) for field, bounds in BOUNDS.items() for bound in bounds]
)
def test_a_number_is_taken_at_its_bounds(field: str, value: float) -> None:
    assert getattr(StyleTransferParams(**{field: value}), field) == value


@pytest.mark.parametrize(("field", "value"), [case for field in BOUNDS for case in outside(field)])
def test_a_number_just_outside_its_bounds_is_refused_by_name(field: str, value: float) -> None:
    assert refused_fields(**{field: value}) == [field]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "nan", "Infinity"])
@pytest.mark.parametrize("field", BOUNDS)
def test_what_is_not_finite_is_refused(field: str, value: object) -> None:
    assert refused_fields(**{field: value}) == [field]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 1000.5])
def test_the_weights_of_the_styles_have_the_bounds_of_weights(value: float) -> None:
    assert refused_fields(style_weights=(1.0, value)) == ["style_weights"]


@pytest.mark.parametrize("field", sorted(WHOLE_NUMBERS))
def test_a_fraction_of_a_pixel_or_of_a_step_is_refused(field: str) -> None:
    assert refused_fields(**{field: 100.5}) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in CHOICES.items() for value in sorted(values)],
)
def test_each_choice_is_taken(field: str, value: str) -> None:
    assert getattr(StyleTransferParams(**{field: value}), field) == value


@pytest.mark.parametrize("field", CHOICES)
def test_a_choice_that_does_not_exist_is_refused_by_name(field: str) -> None:
    assert refused_fields(**{field: "Best"}) == [field]


def test_a_field_that_does_not_exist_is_refused_by_name() -> None:
    assert refused_fields(size=64, iterations=3) == ["iterations"]


def test_every_fault_is_named_at_once() -> None:
    assert sorted(refused_fields(size=1, steps=0, colour="red")) == ["colour", "size", "steps"]


def test_parameters_cannot_be_changed_and_equal_ones_have_equal_hashes() -> None:
    params = StyleTransferParams(size=300)
    with pytest.raises(ValidationError, match="frozen"):
        params.size = 64  # type: ignore[misc]
    assert params.size == 300
    assert {params} == {StyleTransferParams(size=300)}


def test_everything_is_optional() -> None:
    assert StyleTransferParams().model_dump() == {
        "size": 512,
        "quality": "standard",
        "steps": None,
        "preset": None,
        "content_weight": 1.0,
        "style_weight": 1.0,
        "style_weights": None,
        "style_scale": 1.0,
        "tv_weight": 1.0,
        "preserve_color": "none",
        "init": "content",
        "optimizer": "adam",
        "pooling": "average",
        "style_loss": "gram",
        "seed": 0,
        "format": "png",
    }


def test_every_field_says_what_it_is() -> None:
    for name, field in StyleTransferParams.model_fields.items():
        assert (field.description or "").endswith("."), name


def test_a_preset_fills_in_what_was_not_given() -> None:
    params = StyleTransferParams(preset="gatys")
    assert (params.init, params.optimizer, params.pooling, params.steps) == (
        "noise",
        "adam",
        "average",
        300,
    )
    assert params.size == StyleTransferParams().size


def test_what_was_given_beside_a_preset_stays_as_it_was_given() -> None:
    params = StyleTransferParams(preset="gatys", steps=7, init="content", optimizer="lbfgs")
    assert (params.init, params.optimizer, params.steps) == ("content", "lbfgs", 7)
    assert params.pooling == "average"


def test_a_request_is_the_same_after_a_way_through_json() -> None:
    params = StyleTransferParams(
        preset="gatys", optimizer="lbfgs", style_weights=(0.1, 2.0), style_scale=0.3
    )
    assert StyleTransferParams.model_validate_json(params.model_dump_json()) == params


def test_shares_are_equal_when_no_weights_are_given() -> None:
    for styles in range(1, MAX_STYLES + 1):
        assert StyleTransferParams().shares(styles) == pytest.approx([1 / styles] * styles)


def test_shares_are_in_the_proportion_of_the_weights() -> None:
    params = StyleTransferParams(style_weights=(3.0, 0.0, 1.0))
    assert params.shares(3) == (0.75, 0.0, 0.25)


def test_the_smallest_of_weights_still_makes_a_whole() -> None:
    assert StyleTransferParams(style_weights=(5e-324,)).shares(1) == (1.0,)


@pytest.mark.parametrize("styles", [0, MAX_STYLES + 1])
def test_too_few_or_too_many_style_pictures_are_refused_with_their_number(styles: int) -> None:
    with pytest.raises(ParameterError, match=rf"Received: {styles}\.$") as refusal:
        StyleTransferParams().shares(styles)
    assert refusal.value.field == "style"


@pytest.mark.parametrize("styles", [1, 3])
def test_each_style_needs_its_weight(styles: int) -> None:
    with pytest.raises(ParameterError, match=rf"2 weights for {styles} pictures\.$") as refusal:
        StyleTransferParams(style_weights=(1.0, 1.0)).shares(styles)
    assert refusal.value.field == "style_weights"


def test_weights_that_are_all_zero_are_refused_by_name() -> None:
    assert refused_fields(style_weights=(0.0, 0.0)) == ["style_weights"]


@pytest.mark.parametrize("weights", [(), (1.0,) * (MAX_STYLES + 1)])
def test_no_weights_or_more_than_there_may_be_styles_are_refused(
    weights: tuple[float, ...],
) -> None:
    assert refused_fields(style_weights=weights) == ["style_weights"]
