"""What an intake thread does while its device paints, on a real Valkey."""

from typing import cast

import numpy as np
import pytest
import tensorflow as tf
from redis import Redis

from model.params import StyleTransferParams
from model.progress import Progress
from model.sitting import Sitting
from worker.assignment import Assignment, News
from worker.device import Device
from worker.intake import IntakeWorker
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission

PARAMS = StyleTransferParams(size=64, steps=3)
PICTURE = np.full((48, 64, 3), 0.5, np.float32)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


def test_the_last_news_of_a_painting_are_published_however_soon_it_ends(
    jobs: Jobs, settings: Settings, content: bytes, style: bytes
) -> None:
    no_device = cast("Device", None)  # it has ended already
    intake = IntakeWorker("intake", jobs, no_device, tf.train.Coordinator(), settings)
    job = jobs.fetch(jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id)
    intake.prepare_execution(job)
    assignment = Assignment(Sitting.prepare(PICTURE, [PICTURE], PARAMS), None, 60.0)
    progress = Progress(3, 3, 1.0, 64, 48, {"total": 3.0}, {}, (), 0)
    assignment.tell(News(progress, preview=PICTURE))
    assignment.end(PICTURE)
    assert intake._accompany(job, assignment) is PICTURE
    assert jobs.get(job.id).progress.step == 3
    assert jobs.blobs.get(job.id, "losses") is not None
