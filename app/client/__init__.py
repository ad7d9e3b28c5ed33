"""A client of Atelier for Python, blocking and asynchronous.

    from app.client import Atelier

    with Atelier("http://127.0.0.1:8000") as atelier:
        job = atelier.submit(Path("town.jpg"), [Path("night.jpg")], {"size": 768})
        painted = atelier.wait(job.id)
        Path("painted.png").write_bytes(atelier.result(painted.id))

What is asked is retried where asking twice does no harm, a submission included: it carries an
``Idempotency-Key``. ``AsyncAtelier`` has the same methods, to be awaited.
"""

from app.client.asynchronous import AsyncAtelier
from app.client.blocking import Atelier
from app.client.events import Done, Event, PreviewMade, Progressed, StatusChanged
from app.client.failures import Refused, ServerError, Unreachable

__all__ = [
    "AsyncAtelier",
    "Atelier",
    "Done",
    "Event",
    "PreviewMade",
    "Progressed",
    "Refused",
    "ServerError",
    "StatusChanged",
    "Unreachable",
]
