"""Is it alive, is it ready, what is it made of."""

from importlib.metadata import version

from fastapi import APIRouter
from pydantic import BaseModel

from app import kinds
from app.answers import problems
from app.dependencies import JobsDep
from app.limits import counted
from app.problems import ProblemError
from worker import presence
from worker.presence import WorkerInfo
from worker.records import FeaturesUsed

router = APIRouter(tags=["system"])


class System(BaseModel):
    """What the service is made of at this moment.

    Attributes:
        features: of each kind that a worker paints with, once.
        queue_length: jobs waiting.
    """

    version: str
    features: list[FeaturesUsed]
    workers: list[WorkerInfo]
    queue_length: int


class Health(BaseModel):
    """``ok``, or there would be another answer."""

    status: str = "ok"


class Readiness(Health):
    """Ready.

    Attributes:
        lost_devices: ``WORKER/DEVICE`` of those that have failed while others go on.
    """

    lost_devices: list[str] = []


@router.get("/v1/system", dependencies=[counted])
def get_system(jobs: JobsDep) -> System:
    """Version, features, workers with their devices, and the length of the queue."""
    workers = presence.workers(jobs.connection)
    features = {worker.features.sha256: worker.features for worker in workers}
    return System(
        version=version("atelier"),
        features=list(features.values()),
        workers=workers,
        queue_length=jobs.waiting(),
    )


@router.get("/livez")
async def livez() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses=problems(kinds.NOT_READY, kinds.REDIS_UNREACHABLE))
def readyz(jobs: JobsDep) -> Readiness:
    """Redis answers and a worker lives: a job handed in now would be painted."""
    workers = presence.workers(jobs.connection)
    if not workers:
        raise ProblemError(kinds.NOT_READY, "No worker is there.")
    return Readiness(
        lost_devices=[
            f"{worker.name}/{device.name}"
            for worker in workers
            for device in worker.devices
            if device.lost
        ]
    )
