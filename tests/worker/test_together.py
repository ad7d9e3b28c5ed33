"""Several small pictures on one device: its real thread, without Redis and intake threads."""

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf

from model import tiles
from model.errors import DivergedError, OutOfTimeError
from model.painting import Studio
from model.params import StyleTransferParams
from model.progress import Progress
from model.run import Run, advance
from model.sitting import Sitting
from tests.house import eventually
from tests.networks import a_thin_network, thin_features
from worker.assignment import (
    Array,
    Assignment,
    Canceled,
    DeviceHung,
    DeviceLost,
    Interrupted,
)
from worker.device import TOGETHER_ON_A_GPU, Device
from worker.easel import Easel
from worker.load import Load
from worker.tally import Tally
from worker.under_way import UnderWay

#: A deadline for what takes seconds on a busy machine.
SOON = 60.0

#: Steps of a painting that nobody waits for.
ENDLESS = 5000

#: Mean absolute difference that rounding makes, some ten times what is found. Two pictures of
#: different assignments are more than 0.1 apart.
NOISE = 1e-3

SIDE = 64
STYLE = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)

Outcomes = list[Progress | DivergedError]
Advance = Callable[[Sequence[Run], int], Outcomes]


def sitting(seed: int = 0, *, steps: int = 12, size: int = SIDE) -> Sitting:
    photo = np.random.default_rng(seed + 1).random((size * 3 // 4, size, 3), np.float32)
    params = StyleTransferParams(size=size, quality="draft", steps=steps)
    return Sitting.prepare(photo ** (seed + 1), [STYLE], params)


def assigned(about: Sitting, *, timeout_seconds: float = 3600.0) -> Assignment:
    """An assignment of which nobody writes that it is under way: the device need not wait."""
    assignment = Assignment(about, None, timeout_seconds)
    assignment.counted.set()
    return assignment


def ended(assignment: Assignment) -> Array | BaseException:
    eventually(lambda: assignment.outcome is not None, within=SOON, what="it has ended")
    assert assignment.outcome is not None
    return assignment.outcome


def painted(assignment: Assignment) -> Array:
    outcome = ended(assignment)
    assert not isinstance(outcome, BaseException), outcome
    return outcome


def apart(one: Array, other: Array) -> float:
    return float(np.abs(one - other).mean())


class House:
    """A device that paints, and who hands over to it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.coord = tf.train.Coordinator()
        self._thread = threading.Thread(target=device.run, args=[self.coord], daemon=True)
        self._told: dict[int, Progress] = {}

    def start(self) -> None:
        self._thread.start()

    def hand_over(self, *assignments: Assignment) -> None:
        for assignment in assignments:
            self.device.hand_over(assignment)

    def until_painted(self, *assignments: Assignment, steps: int = 1) -> None:
        """Waits until each has taken so many steps, while none has ended."""

        def look() -> bool:
            for one in assignments:
                assert one.outcome is None, one.outcome
                if (news := one.take_news()) is not None:
                    self._told[id(one)] = news.progress
            return all(self.steps_of(one) >= steps for one in assignments)

        eventually(look, within=SOON, what="they are painted")

    def steps_of(self, assignment: Assignment) -> int:
        """The last that was told by ``until_painted``."""
        told = self._told.get(id(assignment))
        return told.step if told is not None else 0

    def stop(self) -> None:
        self.coord.request_stop()
        self.device.queue.close(cancel_pending_enqueues=True)
        self._thread.join(SOON)
        assert not self._thread.is_alive()


class Spy:
    """Stands for ``advance``, and knows how many were painted together each time.

    Attributes:
        groups: their sizes.
        instead: what is done in place of it, if anything.
    """

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.instead: Advance = advance

    def __call__(self, runs: Sequence[Run], steps: int) -> Outcomes:
        self.groups.append(len(runs))
        return self.instead(runs, steps)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with a_thin_network():
        yield Studio(thin_features(), precision="float32")


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy = Spy()
    monkeypatch.setattr("worker.easel.advance", spy)
    return spy


@contextmanager
def painting(device: Device) -> Iterator[House]:
    house = House(device)
    house.start()
    try:
        yield house
    finally:
        house.stop()


@pytest.fixture
def house(studio: Studio) -> Iterator[House]:
    """One whose device paints three at once."""
    with painting(Device(studio, 3)) as house:
        yield house


def alone(studio: Studio, about: Sitting) -> Array:
    """The picture of a painting that has the device for itself."""
    with painting(Device(studio, 1)) as house:
        assignment = assigned(about)
        house.hand_over(assignment)
        return painted(assignment)


# --- together


def test_several_are_painted_together_each_to_the_picture_that_it_becomes_alone(
    studio: Studio, house: House, spy: Spy
) -> None:
    sittings = [sitting(seed, steps=24) for seed in range(3)]
    assignments = [assigned(one) for one in sittings]
    house.hand_over(*assignments)
    pictures = [painted(one) for one in assignments]
    assert max(spy.groups) == 3
    expected = [alone(studio, one) for one in sittings]
    for picture, other in zip(pictures, expected, strict=True):
        assert apart(picture, other) < NOISE
    assert min(apart(expected[0], other) for other in expected[1:]) > 100 * NOISE


def test_what_comes_while_another_is_painted_joins_it(house: House, spy: Spy) -> None:
    first, second = assigned(sitting(0, steps=ENDLESS)), assigned(sitting(1))
    house.hand_over(first)
    house.until_painted(first, steps=3)
    house.hand_over(second)
    painted(second)
    assert spy.groups
    assert set(spy.groups) == {2}
    assert first.outcome is None


def test_pictures_of_other_sizes_are_painted_beside_each_other_in_turns(
    studio: Studio, house: House, spy: Spy
) -> None:
    small, large = sitting(0, steps=ENDLESS), sitting(1, size=96)
    first, second = assigned(small), assigned(large)
    house.hand_over(first, second)
    picture = painted(second)
    assert first.outcome is None
    assert not spy.groups
    house.until_painted(first, steps=house.steps_of(first) + 1)
    np.testing.assert_array_equal(picture, alone(studio, large))


def test_a_device_of_one_paints_one_after_the_other(studio: Studio, spy: Spy) -> None:
    with painting(Device(studio, 1)) as house:
        first, second = (assigned(sitting(seed)) for seed in range(2))
        house.hand_over(first, second)
        assert second.taken.wait(SOON)
        assert first.outcome is not None
        painted(second)
    assert not spy.groups


def test_by_itself_a_gpu_paints_several_at_once_and_a_cpu_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Device(studio).together == 1
    monkeypatch.setattr(studio, "device", "gpu:1")
    assert Device(studio).together == TOGETHER_ON_A_GPU == 8
    assert Device(studio, 2).together == 2


# --- what one meets is not the others'


def test_one_that_is_canceled_leaves_the_others(house: House) -> None:
    canceled, *others = (assigned(sitting(seed, steps=ENDLESS)) for seed in range(3))
    house.hand_over(canceled, *others)
    house.until_painted(canceled, *others)
    canceled.cancel.set()
    assert isinstance(ended(canceled), Canceled)
    house.until_painted(*others, steps=max(map(house.steps_of, others)) + 2)


def test_one_whose_time_is_up_leaves_the_others(house: House) -> None:
    others = [assigned(sitting(seed, steps=ENDLESS)) for seed in range(2)]
    late = assigned(sitting(2, steps=ENDLESS), timeout_seconds=0.5)
    house.hand_over(*others, late)
    assert isinstance(ended(late), OutOfTimeError)
    house.until_painted(*others, steps=max(map(house.steps_of, others)) + 2)


def test_one_that_diverges_fails_alone(house: House, spy: Spy) -> None:
    assignments = [assigned(sitting(seed, steps=24)) for seed in range(3)]
    diverged = DivergedError("twice")

    def last_diverges(runs: Sequence[Run], steps: int) -> Outcomes:
        outcomes = advance(runs, steps)
        return [*outcomes[:-1], diverged] if len(runs) == 3 else outcomes

    spy.instead = last_diverges
    house.hand_over(*assignments)
    assert ended(assignments[2]) is diverged
    for other in assignments[:2]:
        painted(other)
    assert spy.groups[-1] == 2


def test_where_memory_does_not_suffice_for_several_they_are_painted_one_by_one(
    studio: Studio,
    house: House,
    spy: Spy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def too_much(runs: Sequence[Run], steps: int) -> Outcomes:
        del runs, steps
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmuch more")

    spy.instead = too_much
    begun = []
    begin = studio.begin

    def note(*args: Any, **kwargs: Any) -> Run:
        begun.append(kwargs)
        return begin(*args, **kwargs)

    monkeypatch.setattr(studio, "begin", note)
    sittings = [sitting(seed) for seed in range(2)]
    assignments = [assigned(one) for one in sittings]
    with caplog.at_level(logging.WARNING):
        house.hand_over(*assignments)
        pictures = [painted(one) for one in assignments]
    assert spy.groups == [2], "it is tried once"
    assert "one by one. OOM when allocating" in caplog.text
    assert not any(one.get("small_tiles") for one in begun)
    for picture, one in zip(pictures, sittings, strict=True):
        np.testing.assert_array_equal(picture, alone(studio, one))


def test_one_that_does_not_fit_alone_goes_to_small_tiles_and_the_others_on_as_they_are(
    house: House, spy: Spy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def too_much(*_: object) -> Outcomes:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    spy.instead = too_much
    take_steps, unlucky = Run.advance, assigned(sitting(0))

    def scarce(run: Run, steps: int) -> Progress:
        in_large = not run._objective._small_tiles
        if run._sitting is unlucky.sitting and in_large and run.progress().step >= 2:
            too_much()
        return take_steps(run, steps)

    monkeypatch.setattr(Run, "advance", scarce)
    other = assigned(sitting(1))
    with caplog.at_level(logging.INFO):
        house.hand_over(unlucky, other)
        painted(unlucky)
        painted(other)
    assert caplog.text.count("goes on with smaller tiles") == 1
    assert "goes on at step" in caplog.text


def test_of_one_that_failed_nothing_stays_in_memory(house: House, spy: Spy) -> None:
    runs: list[weakref.ref[Run]] = []

    def diverge(those: Sequence[Run], steps: int) -> Outcomes:
        runs.extend(map(weakref.ref, those))
        outcomes = advance(those, steps)
        try:
            raise DivergedError("twice")  # noqa: TRY301 - for its traceback
        except DivergedError as error:
            return [error, *outcomes[1:]]

    spy.instead = diverge
    first, other = (assigned(sitting(seed, steps=ENDLESS)) for seed in range(2))
    gc.disable()  # it is not to be left to the search for garbage
    try:
        house.hand_over(first, other)
        assert isinstance(ended(first), DivergedError)
        eventually(lambda: runs[0]() is None, within=SOON, what="its run is gone")
    finally:
        gc.enable()


def test_a_device_that_hangs_as_it_begins_a_job_is_noticed(studio: Studio) -> None:
    hangs, over = threading.Event(), threading.Event()

    class Stuck(Device):
        """One whose studio does not come back from the second job, the first being its own."""

        def _trace(self) -> None:
            self.studio = cast("Studio", SimpleNamespace(begin=self._hang))

        def _hang(self, *_: object, **__: object) -> Run:
            hangs.set()
            over.wait(SOON)
            raise DivergedError

    device = Stuck(Studio(studio.features), 1)
    house = House(device)
    house.start()
    try:
        house.hand_over(assigned(sitting()))
        assert hangs.wait(SOON)
        with pytest.raises(DeviceHung):
            device.check_pulse(0.0)
    finally:
        over.set()
        house.stop()


def test_what_is_painted_already_stays_so_where_the_device_is_lost_at_once() -> None:
    load = Load()
    under_way = UnderWay(2, load)
    easels = [Easel(assigned(sitting(seed)), cast("Studio", None), Tally()) for seed in range(2)]
    under_way._easels = list(easels)
    load.owe(2)
    easels[0].assignment.end(STYLE)
    under_way.break_off(DeviceLost("lost"))
    assert easels[0].assignment.outcome is STYLE
    assert isinstance(easels[1].assignment.outcome, DeviceLost)


def test_a_device_that_is_lost_has_nothing_more_to_do(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with painting(Device(studio, 1)) as house:
        painted_now, waiting = (assigned(sitting(seed, steps=ENDLESS)) for seed in range(2))

        def lost(*_: object) -> Progress:
            eventually(lambda: house.device.queue.size() == 1, within=SOON, what="one waits")
            raise tf.errors.InternalError(None, None, "the device fell off the bus")

        assert house.device.warm.wait(SOON)
        monkeypatch.setattr(Run, "advance", lost)
        house.hand_over(painted_now, waiting)
        assert isinstance(ended(painted_now), DeviceLost)
        assert isinstance(ended(waiting), Interrupted)
        eventually(lambda: house.device.load.is_idle, within=SOON, what="it has nothing to do")


def test_a_device_that_is_lost_ends_all_that_it_paints(studio: Studio, spy: Spy) -> None:
    def lost(*_: object) -> Outcomes:
        raise tf.errors.InternalError(None, None, "the device fell off the bus")

    spy.instead = lost
    with painting(Device(studio, 3)) as house:
        assignments = [assigned(sitting(seed, steps=ENDLESS)) for seed in range(2)]
        house.hand_over(*assignments)
        for assignment in assignments:
            outcome = ended(assignment)
            assert isinstance(outcome, DeviceLost)
            assert "lost cpu (InternalError)" in str(outcome)
        eventually(lambda: house.device.lost, within=SOON, what="it is lost")
        assert house.device.load.is_idle
        assert house.device.tally.steps_per_second == 0.0


def test_a_house_that_stops_interrupts_all_with_a_checkpoint_each(
    studio: Studio, house: House
) -> None:
    assignments = [assigned(sitting(seed, steps=ENDLESS)) for seed in range(3)]
    house.hand_over(*assignments)
    house.until_painted(*assignments, steps=2)
    house.coord.request_stop()
    for assignment in assignments:
        assert isinstance(ended(assignment), Interrupted)
        news = assignment.take_news()
        assert news is not None
        assert news.checkpoint is not None
        run = studio.begin(assignment.sitting)
        run.restore(news.checkpoint)
        assert run.progress().step == news.progress.step - 1


# --- what there is room for


@pytest.fixture
def _room_for_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the usual size; none of these is cut into tiles."""
    monkeypatch.setattr(tiles, "LARGEST_KEPT", 3 * SIDE * SIDE * 3 // 4)


@pytest.mark.usefixtures("_room_for_three")
def test_a_picture_that_does_not_fit_waits_for_the_others_and_is_not_overtaken(
    studio: Studio,
) -> None:
    with painting(Device(studio, 5)) as house:
        first, second = (assigned(sitting(seed, steps=ENDLESS)) for seed in range(2))
        large, small = assigned(sitting(2, size=2 * SIDE)), assigned(sitting(3))
        house.hand_over(first, second, large)
        handing = threading.Thread(target=house.hand_over, args=[small])
        handing.start()
        house.until_painted(first, second, steps=3)
        first.cancel.set()
        ended(first)
        house.until_painted(second, steps=house.steps_of(second) + 3)
        assert not large.taken.is_set()
        second.cancel.set()
        assert large.taken.wait(SOON)
        assert second.outcome is not None
        assert small.taken.wait(SOON)
        assert large.outcome is not None
        painted(large)
        painted(small)
        handing.join()


@pytest.mark.usefixtures("_room_for_three")
def test_one_that_is_canceled_while_it_waits_for_room_holds_nobody_up(studio: Studio) -> None:
    with painting(Device(studio, 5)) as house:
        first = assigned(sitting(0, steps=ENDLESS))
        large, small = assigned(sitting(1, size=2 * SIDE)), assigned(sitting(2))
        house.hand_over(first, large)
        large.cancel.set()
        house.hand_over(small)
        painted(small)
        assert isinstance(large.outcome, Canceled)
        assert first.outcome is None


def test_the_next_is_wanted_while_there_is_room_for_a_small_picture(studio: Studio) -> None:
    device = Device(studio, 2)

    def wanted() -> bool:
        return device.load.wait_until_nearly_free(timeout=0)

    with painting(device) as house:
        first, second, third = (assigned(sitting(seed, steps=ENDLESS)) for seed in range(3))
        house.hand_over(first)
        eventually(wanted, within=SOON, what="one more is wanted")
        assert not device.load.is_idle
        house.hand_over(second)
        house.until_painted(second)
        assert not wanted(), "two are all that it paints at once"
        first.cancel.set()
        ended(first)
        eventually(wanted, within=SOON, what="one more is wanted")
        house.hand_over(third)
        house.until_painted(third)
        assert not wanted()


def test_the_next_is_not_wanted_where_large_pictures_leave_no_room_for_a_small_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "LARGEST_KEPT", 256 * 256 + SIDE * SIDE)
    with painting(Device(studio, 3)) as house:
        first = assigned(sitting(0, steps=ENDLESS))
        second = assigned(sitting(1, steps=ENDLESS))
        house.hand_over(first)
        house.until_painted(first)
        assert house.device.load.has_room
        house.hand_over(second)
        house.until_painted(second)
        assert not house.device.load.has_room


# --- what is counted


def test_the_speed_of_a_device_is_that_of_all_paintings_and_its_time_is_counted_once(
    house: House,
) -> None:
    tally = house.device.tally
    with tally.painting() as one, tally.painting() as other:
        one.advanced(4, 2.0, 0)
        other.advanced(3, 1.0, 0)
        assert tally.steps_per_second == 5.0
    assert tally.steps_per_second == 0.0
    before, since = tally.busy_seconds, time.monotonic()
    assert tally.busy_seconds == before, "it does not paint"
    never = threading.Event()
    with tally.painting():
        never.wait(0.1)
        with tally.painting():
            never.wait(0.1)
        never.wait(0.1)
    assert 0.3 <= tally.busy_seconds - before <= time.monotonic() - since
