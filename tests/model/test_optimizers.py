"""Adam and L-BFGS, against Keras, textbook formulas and problems with known answers."""

from collections.abc import Callable
from itertools import pairwise

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import checkpoint, optimizers
from model.optimizers import OPTIMIZERS, Adam, AdamState, Lbfgs, LbfgsState, Optimizer

Array = npt.NDArray[np.float32]
SHAPE = (1, 4, 5, 3)


class Quadratic:
    """A bowl: half the squared distance from ``lowest``, each pixel with its own steepness."""

    def __init__(self, *, condition: float = 1.0, low: float = 0.2, high: float = 0.8) -> None:
        rng = np.random.default_rng(11)
        steepness = np.geomspace(1.0, condition, int(np.prod(SHAPE)))
        self.steepness = rng.permutation(steepness).reshape(SHAPE).astype(np.float32)
        self.lowest = rng.uniform(low, high, SHAPE).astype(np.float32)

    def __call__(self, image: tf.Tensor) -> float:
        return float(0.5 * np.sum(self.steepness * (np.asarray(image) - self.lowest) ** 2))

    def gradient(self, image: tf.Tensor) -> tf.Tensor:
        return self.steepness * (image - self.lowest)


def grey() -> tf.Tensor:
    return tf.fill(SHAPE, 0.5)


def rate(value: float = 1.0) -> tf.Tensor:
    return tf.constant([value])


def descend(
    optimizer: Optimizer[AdamState] | Optimizer[LbfgsState],
    gradient: Callable[[tf.Tensor], tf.Tensor],
    steps: int,
) -> tuple[list[Array], AdamState | LbfgsState]:
    """The images on the way, the first one included, and the last state."""
    image = grey()
    state = optimizer.start(image)
    way = [image.numpy()]
    for _ in range(steps):
        image, state = optimizer.step(image, gradient(image), state, rate())  # type: ignore[arg-type]
        way.append(image.numpy())
    return way, state


def rms(move: Array) -> float:
    return float(np.sqrt(np.mean(move**2)))


def bits(state: AdamState | LbfgsState) -> list[bytes]:
    return [tf.io.serialize_tensor(tensor).numpy() for tensor in tf.nest.flatten(state)]


# --- both


@pytest.fixture(params=OPTIMIZERS)
def either(request: pytest.FixtureRequest) -> Optimizer[AdamState] | Optimizer[LbfgsState]:
    """Each optimiser in turn."""
    return OPTIMIZERS[request.param]()


def test_a_picture_stays_between_black_and_white(
    either: Optimizer[AdamState] | Optimizer[LbfgsState],
) -> None:
    bowl = Quadratic(low=-0.5, high=1.5)
    way, _ = descend(either, bowl.gradient, 80)
    assert min(image.min() for image in way) == 0.0
    assert max(image.max() for image in way) == 1.0
    np.testing.assert_allclose(way[-1], np.clip(bowl.lowest, 0.0, 1.0), atol=0.02)


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 14])
def test_a_saved_state_comes_back_bit_for_bit_and_goes_on_the_same(
    either: Optimizer[AdamState] | Optimizer[LbfgsState], steps: int
) -> None:
    bowl = Quadratic(condition=30)
    way, state = descend(either, bowl.gradient, steps)
    saved = checkpoint.dump({}, either.to_arrays(state))  # type: ignore[arg-type]
    restored = either.from_arrays(checkpoint.load(saved)[1])
    assert type(restored) is type(state)
    tf.nest.assert_same_structure(restored, state)
    assert bits(restored) == bits(state)

    image = tf.constant(way[-1])
    undisturbed, after = either.step(image, bowl.gradient(image), state, rate())  # type: ignore[arg-type]
    resumed, after_restored = either.step(image, bowl.gradient(image), restored, rate())  # type: ignore[arg-type]
    assert resumed.numpy().tobytes() == undisturbed.numpy().tobytes()
    assert bits(after_restored) == bits(after)


def test_a_picture_where_nothing_is_to_be_gained_stays_as_it_is(
    either: Optimizer[AdamState] | Optimizer[LbfgsState],
) -> None:
    way, _ = descend(either, tf.zeros_like, 3)
    np.testing.assert_array_equal(way[-1], way[0])


def test_what_is_not_finite_is_not_hidden(
    either: Optimizer[AdamState] | Optimizer[LbfgsState],
) -> None:
    way, _ = descend(either, lambda image: image * np.nan, 2)
    assert not np.isfinite(way[-1]).any()


# --- Adam


def test_adam_is_kerass() -> None:
    bowl = Quadratic(condition=100)
    way, _ = descend(Adam(), bowl.gradient, 12)
    theirs = keras.optimizers.Adam(learning_rate=0.02, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
    variable = keras.Variable(way[0])
    theirs.build([variable])
    for image in way[1:]:
        theirs.apply([bowl.gradient(variable.value)])
        np.testing.assert_allclose(image, np.asarray(variable.value), rtol=1e-5)


def test_adam_moves_every_pixel_by_the_learning_rate_at_first_however_steep_it_is() -> None:
    way, _ = descend(Adam(), Quadratic(condition=1e6).gradient, 1)
    np.testing.assert_allclose(np.abs(way[1] - way[0]), Adam.learning_rate, rtol=1e-3)


def test_adam_at_half_the_rate_moves_half_as_far() -> None:
    adam, gradient = Adam(), Quadratic().gradient(grey())
    state = adam.start(grey())
    whole, half = (adam.step(grey(), gradient, state, rate(r))[0] - grey() for r in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-4)


def test_adam_reaches_the_lowest_point() -> None:
    bowl = Quadratic(condition=100)
    way, _ = descend(Adam(), bowl.gradient, 200)
    assert bowl(way[-1]) < 1e-3 * bowl(way[0])


def test_adams_moments_are_carried_to_the_next_size() -> None:
    _, state = descend(Adam(), Quadratic(condition=100).gradient, 6)
    assert isinstance(state, AdamState)
    carried = Adam().rescale(state, tf.zeros([1, 7, 9, 3]))
    assert carried.first.shape == carried.second.shape == (1, 7, 9, 3)
    assert carried.step.numpy().tolist() == [6.0]
    assert np.min(carried.second) >= 0.0
    for before, after in ((state.first, carried.first), (state.second, carried.second)):
        # From left above, half a pixel of the small one in: the same place, the same value.
        np.testing.assert_allclose(after[0, 0, 0], before[0, 0, 0], rtol=1e-5)
        assert np.min(before) <= np.min(after) <= np.max(after) <= np.max(before)


def test_adams_moments_of_the_same_size_are_carried_unchanged() -> None:
    _, state = descend(Adam(), Quadratic(condition=100).gradient, 6)
    assert isinstance(state, AdamState)
    carried = Adam().rescale(state, grey())
    np.testing.assert_allclose(carried.first, state.first, rtol=1e-6)
    np.testing.assert_allclose(carried.second, state.second, rtol=1e-6)


# --- L-BFGS


def test_lbfgs_reaches_the_lowest_point_in_far_fewer_steps_than_gradient_descent() -> None:
    bowl = Quadratic(condition=1000)
    way, _ = descend(Lbfgs(), bowl.gradient, 60)
    goal = 1e-3 * bowl(way[0])
    ours = next(step for step, image in enumerate(way) if bowl(image) < goal)

    image, steps = grey(), 0
    while bowl(image) > goal:
        image -= bowl.gradient(image) / 1000.0  # the longest step that cannot diverge
        steps += 1
    assert 10 * ours < steps


def test_lbfgs_applies_the_inverse_hessian_that_bfgs_writes_out() -> None:
    rng = np.random.default_rng(2)
    moves = [rng.standard_normal(SHAPE).astype(np.float32) for _ in range(4)]
    turns = [m + 0.3 * rng.standard_normal(SHAPE).astype(np.float32) for m in moves]
    gradient = rng.standard_normal(SHAPE).astype(np.float32)

    size = gradient.size
    pairs = [(s.ravel().astype(np.float64), y.ravel()) for s, y in zip(moves, turns, strict=True)]
    last_move, last_turn = pairs[-1]
    start = preconditioner()
    inverse = start * (last_move @ last_turn) / (last_turn @ start @ last_turn)
    for move, turn in pairs:  # Nocedal & Wright 2006, equation 7.16
        rho = 1 / (turn @ move)
        v = np.eye(size) - rho * np.outer(turn, move)
        inverse = v.T @ inverse @ v + rho * np.outer(move, move)
    expected = (inverse @ gradient.ravel()).reshape(SHAPE)

    found = optimizers._inverse_hessian_times(
        tf.constant(gradient), tuple(map(tf.constant, moves)), tuple(map(tf.constant, turns))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def preconditioner() -> npt.NDArray[np.float64]:
    """As a matrix, column by column."""
    units = np.eye(int(np.prod(SHAPE)), dtype=np.float32).reshape(-1, *SHAPE[1:])
    columns = optimizers._preconditioned(tf.constant(units)).numpy()
    return np.asarray(columns.reshape(len(units), -1).T, np.float64)


def test_what_lbfgs_starts_from_is_symmetric_and_positive_definite() -> None:
    found = preconditioner()
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    assert np.linalg.eigvalsh(found).min() > 0.01


@pytest.mark.parametrize("cycles", [0, 1, 3, 8])
def test_what_lbfgs_starts_from_has_more_of_large_forms_than_of_fine_ones(cycles: int) -> None:
    across = np.arange(32)
    wave = np.cos(2 * np.pi * cycles * across / 32).astype(np.float32)
    picture = np.tile(wave[:, np.newaxis], (2, 20, 1, 3))
    expected = (1 + cycles / 32 / 0.02) ** -0.5
    found = optimizers._preconditioned(tf.constant(picture))
    np.testing.assert_allclose(found, expected * picture, atol=1e-5)
    turned = optimizers._preconditioned(tf.constant(picture.transpose(0, 2, 1, 3)))
    np.testing.assert_allclose(turned, found.numpy().transpose(0, 2, 1, 3), atol=1e-5)


def test_lbfgs_finds_large_forms_sooner_for_what_it_starts_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a bowl as the losses are: steep for fine forms, flat for large ones."""
    rng = np.random.default_rng(3)
    shape = (1, 24, 32, 3)
    down, right = np.fft.fftfreq(24)[:, np.newaxis], np.fft.fftfreq(32)
    steepness = 1 + np.hypot(down, right)[:, :, np.newaxis] / 0.02
    lowest = rng.uniform(0.4, 0.6, shape)

    def gradient(image: tf.Tensor) -> tf.Tensor:
        spectrum = steepness * np.fft.fft2(image - lowest, axes=(1, 2))
        return tf.constant(np.fft.ifft2(spectrum, axes=(1, 2)).real.astype(np.float32))

    def steps() -> int:
        image, taken = tf.fill(shape, 0.5), 0
        state = Lbfgs().start(image)
        while rms(image.numpy() - lowest) > 1e-3:
            image, state = Lbfgs().step(image, gradient(image), state, rate())
            taken += 1
        return taken

    ours = steps()
    monkeypatch.setattr(optimizers, "_preconditioned", lambda gradient: gradient)
    assert 1.3 * ours < steps()


@pytest.mark.parametrize("strength", [1e-6, 1.0, 1e6])
def test_lbfgs_feels_its_way_at_first_whatever_the_gradient(strength: float) -> None:
    way, _ = descend(Lbfgs(), lambda image: strength * Quadratic().gradient(image), 1)
    assert rms(way[1] - way[0]) == pytest.approx(Lbfgs.first_move, rel=1e-3)


def test_lbfgs_never_moves_further_than_its_largest_move() -> None:
    way, _ = descend(Lbfgs(), Quadratic(condition=1000).gradient, 30)
    lengths = [rms(after - before) for before, after in pairwise(way)]
    assert max(lengths) <= Lbfgs.largest_move * 1.001
    assert max(lengths) == pytest.approx(Lbfgs.largest_move, rel=1e-3)  # and it does go so far


def test_lbfgs_remembers_its_latest_moves_and_no_more() -> None:
    bowl = Quadratic(condition=1000)
    way, state = descend(Lbfgs(), bowl.gradient, 15)
    assert isinstance(state, LbfgsState)
    assert len(state.moves) == len(state.turns) == Lbfgs.history
    # The last of the 15 steps has not been judged yet.
    latest = [after - before for before, after in pairwise(way[4:-1])]
    assert len(latest) == Lbfgs.history
    for move, turn, expected in zip(state.moves, state.turns, latest, strict=True):
        np.testing.assert_array_equal(move, expected)
        np.testing.assert_allclose(turn, bowl.steepness * expected, rtol=1e-2, atol=1e-4)


def test_lbfgs_does_not_learn_from_where_the_bowl_is_upside_down() -> None:
    bowl = Quadratic()
    way, state = descend(Lbfgs(), lambda image: -bowl.gradient(image), 5)
    assert isinstance(state, LbfgsState)
    assert state.moves == state.turns == ()
    heights = [-bowl(image) for image in way]
    assert heights == sorted(heights, reverse=True)  # downhill all the same


def test_lbfgs_keeps_what_it_knew_when_a_move_teaches_nothing() -> None:
    bowl = Quadratic(condition=100)
    way, state = descend(Lbfgs(), bowl.gradient, 4)
    assert isinstance(state, LbfgsState)
    image = tf.constant(way[-1])
    against = state.gradient - (image - state.image)  # the gradient falls along the move
    _, after = Lbfgs().step(image, against, state, rate())
    assert (
        bits(LbfgsState(after.image, after.gradient, after.moves, after.turns))[2:]
        == bits(state)[2:]
    )


def test_lbfgs_forgets_at_the_next_size() -> None:
    _, state = descend(Lbfgs(), Quadratic().gradient, 4)
    assert isinstance(state, LbfgsState)
    larger = tf.zeros([1, 7, 9, 3])
    assert bits(Lbfgs().rescale(state, larger)) == bits(Lbfgs().start(larger))


def test_lbfgs_at_half_the_rate_moves_half_as_far() -> None:
    image = tf.fill([1, 4, 5, 3], 0.5)
    gradient = tf.random.stateless_normal([1, 4, 5, 3], [1, 2])
    state = Lbfgs().start(image)
    whole, half = (
        Lbfgs().step(image, gradient, state, tf.constant(rate))[0] - image for rate in (1.0, 0.5)
    )
    np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-3)
