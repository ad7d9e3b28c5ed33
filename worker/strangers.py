"""Jobs of a newer Atelier, met by an older worker: while a house is upgraded, both are there."""

import logging

from worker.jobs import Jobs
from worker.painting_job import PaintingJob

logger = logging.getLogger(__name__)

#: Between two rounds through a queue in which there is nothing else, in seconds.
PAUSE_SECONDS = 2.0


class Strangers:
    """The jobs that one intake thread has left to workers that understand them.

    Each goes to the end of the queue, so that those behind it are not held up. One that comes
    again has been through the whole queue: then there is nothing to be done here for a while.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._met_in_this_round: set[str] = set()
        self._told = False

    def leave(self, job: PaintingJob) -> float:
        """Puts a job back, unchanged; returns for how many seconds nothing should be taken."""
        if not self._told:
            logger.warning("Job %s is of a newer Atelier; such jobs are left to others.", job.id)
            self._told = True
        self._jobs.leave_to_others(job)
        if job.id not in self._met_in_this_round:
            self._met_in_this_round.add(job.id)
            return 0.0
        self._met_in_this_round = set()
        return PAUSE_SECONDS
