"""A prepared job on its way from an intake thread over a device and back. Free of TensorFlow."""

import threading
from contextvars import Context, copy_context
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.progress import Progress
from model.sitting import Sitting

Array = npt.NDArray[np.float32]


class Canceled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The job was canceled while it was painted."""


class Interrupted(Exception):  # noqa: N818 - likewise
    """The worker stops; the job is to go on elsewhere."""


class Lost(Exception):  # noqa: N818 - likewise
    """The job counts as abandoned, because Redis did not hear of it, and another worker has it."""


class DeviceFault(Exception):  # noqa: N818 - an error of the house, not of the job
    """The device does not paint any more; the message goes on after "the worker"."""


class DeviceHung(DeviceFault):
    """The device does not come back from a step: the process has to be replaced."""


class DeviceLost(DeviceFault):
    """The device refuses to work: its thread has ended, other devices go on."""


@dataclass(frozen=True)
class News:
    """What the device thread has to say of an assignment.

    Attributes:
        progress: how far it is.
        eta_seconds: estimate of the painting time left; None while there is nothing to go by.
        preview: the picture so far, now and then.
        checkpoint: all that is needed to go on from here, now and then.
    """

    progress: Progress
    eta_seconds: float | None = None
    preview: Array | None = None
    checkpoint: bytes | None = None

    def after(self, earlier: "News | None") -> "News":
        """These news with what was in earlier ones that nobody has taken."""
        if earlier is None:
            return self
        return News(
            self.progress,
            self.eta_seconds,
            earlier.preview if self.preview is None else self.preview,
            earlier.checkpoint if self.checkpoint is None else self.checkpoint,
        )


@dataclass
class Assignment:
    """A prepared job. The intake thread waits for ``changed``; the device thread sets it.

    Attributes:
        sitting: the pictures and how to paint them.
        resume: checkpoint of an earlier attempt, or None.
        timeout_seconds: painting time allowed.
        cancel: set by the intake thread to end the painting.
        changed: set by the device thread whenever there is something to see.
        taken: set by the device thread when it has the assignment.
        counted: set by the intake thread when the job's record says so.
        outcome: the painting, or what was raised instead; None while it is painted.
        context: what log lines and spans are about when it is handed over, for the device thread.
    """

    sitting: Sitting
    resume: bytes | None
    timeout_seconds: float
    cancel: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)
    taken: threading.Event = field(default_factory=threading.Event)
    counted: threading.Event = field(default_factory=threading.Event)
    outcome: Array | BaseException | None = None
    context: Context = field(default_factory=copy_context)
    _news: News | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def room(self) -> int:
        """What it takes of the pixels that the network sees at once."""
        height, width = self.sitting.content.shape[:2]
        return int(height * width)

    def take(self, patience_seconds: float) -> None:
        """Says that the device has it; waits for that to be on record, but not for ever.

        What kills the process at the first step would otherwise never be counted.
        """
        self.taken.set()
        self.changed.set()
        self.counted.wait(patience_seconds)

    def tell(self, news: News) -> None:
        """Puts news in front of the intake thread."""
        with self._lock:
            self._news = news.after(self._news)
        self.changed.set()

    def take_news(self) -> News | None:
        """The news since the last call, if any."""
        with self._lock:
            news, self._news = self._news, None
        return news

    def end(self, outcome: Array | BaseException) -> None:
        """Says how it ended."""
        self.outcome = outcome
        self.changed.set()
