"""Makes the deliveries that are due: signs them, sends them, and sees to those that do not arrive.

Every worker process has a courier; they share the work. A delivery has a thread of its own, so that
a slow target holds up neither painting nor, until all threads are in its hands, other deliveries.
"""

import logging
import random
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urlsplit

import httpcore
import httpx
import tensorflow as tf
from standardwebhooks import Webhook as Signer

from worker.connections import RedisAway
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.painting_job import OtherVersion
from worker.settings import Settings
from worker.webhook_secrets import WebhookSecrets
from worker.webhook_targets import CONNECT_SECONDS, GuardedBackend, TargetRefused
from worker.webhooks import Deliveries, Delivery, Notice

logger = logging.getLogger(__name__)

#: Deliveries under way at once in one worker process.
PARALLEL = 16

#: How long one attempt may take, in seconds, until the head of the answer is there.
ATTEMPT_SECONDS = 10.0

#: Waited after each attempt but the last, in seconds: five seconds to six hours.
BACK_OFF_SECONDS = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600)

MAX_ATTEMPTS = len(BACK_OFF_SECONDS) + 1

#: The most that a target's Retry-After is followed, in seconds.
_MAX_RETRY_AFTER = 3600

#: How often it is looked whether one is due, in seconds.
_ROUND_SECONDS = 0.5


class Failed(Exception):  # noqa: N818 - reads better where it is raised and caught
    """An attempt failed; ``retry_after`` seconds are asked for by the target."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Courier:
    """The deliveries of one worker process.

    Args:
        jobs: whose webhooks these are.
        settings: whether private targets are allowed, and what is signed with.
        tls: the authorities that are trusted; those of httpx if it is None.
    """

    def __init__(self, jobs: Jobs, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        self._jobs = jobs
        self._deliveries = Deliveries(jobs.connection)
        self._secrets = WebhookSecrets(jobs.connection, settings)
        self._allow_private = settings.webhook_allow_private
        self._tls = tls or httpx.create_ssl_context()
        self._patience = settings.stop_grace_seconds / 2
        self._free = threading.Semaphore(PARALLEL)

    def run(self, coord: tf.train.Coordinator) -> None:
        """Delivers until the coordinator stops; what is under way then gets half the grace.

        What does not end in it is delivered again by another worker when its lease is over.
        """
        with coord.stop_on_exception():
            while not coord.should_stop():
                try:
                    self.send_due()
                except RedisAway:
                    logger.warning("Redis does not answer; webhooks wait for it.")
                coord.wait_for_stop(_ROUND_SECONDS)
            self.wait_until_idle(self._patience)

    def send_due(self) -> None:
        """Begins all deliveries that are due, as far as threads are free."""
        while self._free.acquire(blocking=False):
            delivery = None
            try:
                delivery = self._deliveries.claim()
            finally:
                if delivery is None:
                    self._free.release()
            if delivery is None:
                return
            name = f"webhook {delivery.id}"
            threading.Thread(target=self._carry, args=[delivery], name=name, daemon=True).start()

    def wait_until_idle(self, seconds: float) -> bool:
        """Waits for the deliveries under way; whether they have ended in this time."""
        deadline = time.monotonic() + seconds
        had = 0
        while had < PARALLEL and self._free.acquire(timeout=max(0.0, deadline - time.monotonic())):
            had += 1
        for _ in range(had):
            self._free.release()
        return had == PARALLEL

    def _carry(self, delivery: Delivery) -> None:
        """One attempt, in a thread of its own: whatever happens in it harms nobody else."""
        try:
            self._attempt(delivery)
        except RedisAway:
            logger.warning("Redis does not answer; webhook %s is sent again later.", delivery.id)
        except Exception:
            logger.exception("A fault of the worker kept webhook %s.", delivery.id)
        finally:
            self._free.release()

    def _attempt(self, delivery: Delivery) -> None:
        if self._deliveries.is_disabled(delivery):
            return self._give_up(delivery, "its target said 410 lately")
        if delivery.attempts > MAX_ATTEMPTS:
            return self._give_up(delivery, "no worker survived it")
        body = ""
        try:
            body = self._body(delivery)
            self._send(delivery, body)
        except NoSuchJob:
            self._give_up(delivery, "its job is gone")
        except TargetRefused:
            self._give_up(delivery, "its target is not public")
        except Failed as failure:
            self._try_later(delivery, body, failure)
        else:
            self._deliveries.done(delivery)
            logger.info("%s has arrived", _described(delivery))

    def _body(self, delivery: Delivery) -> str:
        """The same with each attempt, also when the job has expired meanwhile."""
        return delivery.body or self._notice(delivery).model_dump_json()

    def _notice(self, delivery: Delivery) -> Notice:
        try:
            job = self._jobs.get(delivery.job_id)
        except OtherVersion:  # a worker that understands it will come
            raise Failed("its job is of another version") from None
        happened_at = datetime.fromisoformat(delivery.happened_at)
        return Notice(type=f"job.{delivery.event}", timestamp=happened_at, data=job)

    def _send(self, delivery: Delivery, body: str) -> None:
        """Sends it; nothing is read of the answer but its head.

        Raises:
            Failed: it did not arrive.
            TargetRefused: the target is not permitted.
        """
        guard = GuardedBackend(ATTEMPT_SECONDS, allow_private=self._allow_private)
        with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=guard) as pool:
            try:
                with pool.stream(
                    "POST",
                    delivery.url,
                    headers=self._headers(delivery, body),
                    content=body.encode(),
                    extensions={"timeout": {"connect": CONNECT_SECONDS}},
                ) as response:
                    self._judge(delivery, response)
            except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as e:
                raise Failed(type(e).__name__) from None

    def _headers(self, delivery: Delivery, body: str) -> dict[bytes | str, bytes | str]:
        """Signed anew with each attempt, because receivers refuse old times."""
        now = datetime.now(UTC)
        signer = Signer(self._secrets.of(delivery.owner))
        return {
            "Content-Type": "application/json",
            "User-Agent": f"Atelier/{version('atelier')}",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(delivery.id, now, body),
        }

    def _judge(self, delivery: Delivery, response: httpcore.Response) -> None:
        if response.status // 100 == 2:  # noqa: PLR2004
            return
        if response.status == HTTPStatus.GONE:
            self._deliveries.disable_target(delivery)
            logger.info("%s: the target wants no more", _described(delivery))
            return
        headers = {name.lower(): value for name, value in response.headers}
        raise Failed(f"answer {response.status}", _retry_after(response.status, headers))

    def _try_later(self, delivery: Delivery, body: str, failure: Failed) -> None:
        if delivery.attempts >= MAX_ATTEMPTS:
            return self._give_up(delivery, f"{failure} at attempt {delivery.attempts}")
        # Not all at once that failed at once; nothing about it is secret.
        pause = BACK_OFF_SECONDS[delivery.attempts - 1] * random.uniform(1.0, 1.2)  # noqa: S311
        seconds = max(pause, failure.retry_after)
        self._deliveries.postpone(delivery, seconds, body)
        logger.info("%s failed (%s), again in %.0f s", _described(delivery), failure, seconds)
        return None

    def _give_up(self, delivery: Delivery, reason: str) -> None:
        self._deliveries.done(delivery)
        logger.warning("%s is given up: %s", _described(delivery), reason)


def _described(delivery: Delivery) -> str:
    """For the log: the rest of a URL may hold what only its owner should know."""
    return f"Webhook of job {delivery.job_id} to {urlsplit(delivery.url).hostname}"


def _retry_after(status: int, headers: Mapping[bytes, bytes]) -> float:
    """What a target asks for that is busy (RFC 9110, section 10.2.3), in seconds."""
    if status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return 0.0
    text = headers.get(b"retry-after", b"").decode("latin-1").strip()
    try:
        seconds = (
            float(text)
            if text.isdecimal()
            else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        )
    except (TypeError, ValueError):  # no time, or one without a zone
        return 0.0
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER)
