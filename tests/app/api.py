"""What the tests of the front end share: the API alone, requests, and a look into Redis."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
from redis import Redis

from app import embedded
from tests.house import Process, eventually, pings
from worker import totals
from worker.connections import connect_impatiently

Json = dict[str, Any]
Fields = Mapping[str, str | list[str]]
Files = list[tuple[str, tuple[str, bytes]]]

FINAL = {"succeeded", "failed", "canceled"}

#: A second and a half of painting on a slow machine, and one that never ends by itself.
SHORT = {"size": "64", "quality": "draft", "steps": "3"}
LONG = {"size": "64", "quality": "draft", "steps": "5000"}


@contextmanager
def serving(redis_url: str, folder: Path, **settings: str) -> Iterator[httpx.Client]:
    """A client of ``atelier api`` on this Redis: an API without a worker."""
    with api_process(redis_url, folder, **settings) as (_, client):
        yield client


@contextmanager
def api_process(
    redis_url: str, folder: Path, **settings: str
) -> Iterator[tuple[Process, httpx.Client]]:
    """The same, and its process."""
    environment = {
        "ATELIER_REDIS_URL": redis_url,
        "ATELIER_PORT": "0",
        "ATELIER_MAX_REQUESTS_PER_MINUTE": "0",  # who waits for something looks often
        **settings,
    }
    with Process("api", environment=environment, log=folder / "api.log") as process:
        process.wait_for("Application startup complete", within=30)
        url = f"http://127.0.0.1:{_port(process.pid)}"
        with httpx.Client(base_url=url, timeout=30.0) as client:
            yield process, client


class OwnRedis:
    """A Valkey that a test may stop, hold and start again."""

    def __init__(self, folder: Path) -> None:
        self._command, self.url = embedded.prepare(folder)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)
        with connect_impatiently(self.url) as client:
            eventually(lambda: pings(client), within=10, what="Valkey answers")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def hold(self) -> None:
        """As a machine that swaps, or a network that swallows packets."""
        self._process.send_signal(signal.SIGSTOP)

    def let_go(self) -> None:
        self._process.send_signal(signal.SIGCONT)


def _port(pid: int) -> int:
    """The one port that a process listens on."""
    found = psutil.Process(pid).net_connections("tcp")
    (port,) = [c.laddr.port for c in found if c.status == psutil.CONN_LISTEN]
    return port


def pictures(content: bytes, *styles: bytes) -> Files:
    """The files of a form."""
    return [("content", ("content", content)), *(("style", ("style", s)) for s in styles)]


def masked(content: bytes, style: bytes, content_mask: bytes, style_mask: bytes) -> Files:
    """The files of a form with masks."""
    masks = [("content_mask", ("mask", content_mask)), ("style_mask", ("mask", style_mask))]
    return [*pictures(content, style), *masks]


def submit(client: httpx.Client, files: Files, **fields: str | list[str]) -> Json:
    """A new job that is taken, whatever has been painted before."""
    response = client.post("/v1/jobs", data={"reuse": "false"} | fields, files=files)
    assert response.status_code == 202, response.text
    return cast("Json", response.json())


def look(client: httpx.Client, job: Json) -> Json:
    """The job as it is now."""
    response = client.get(job["urls"]["self"])
    assert response.status_code == 200, response.text
    return cast("Json", response.json())


def ended(client: httpx.Client, job: Json, *, within: float = 60.0) -> Json:
    """The job when it has ended."""

    def final() -> Json | None:
        now = look(client, job)
        return now if now["status"] in FINAL else None

    return cast("Json", eventually(final, within=within, what="the job ends"))


def painting(client: httpx.Client, job: Json) -> Json:
    """The job when its first steps are done."""

    def begun() -> Json | None:
        now = look(client, job)
        assert now["status"] not in FINAL, now
        return now if now["progress"]["step"] else None

    return cast("Json", eventually(begun, within=60, what="the painting begins"))


def painted(client: httpx.Client, files: Files, **fields: str | list[str]) -> bytes:
    """A painting, the whole way."""
    job = ended(client, submit(client, files, **(SHORT | fields)))
    assert job["status"] == "succeeded", job["error"]
    response = client.get(job["urls"]["result"])
    assert response.status_code == 200, response.text
    return response.content


def problem(response: httpx.Response, status: int, *, field: str | None = None) -> Json:
    """The problem document (RFC 9457) that an answer is, with nothing of our insides in it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    found = cast("Json", response.json())
    assert found["type"].startswith("urn:atelier:problem:")
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    for inside in ("Traceback", "<class", "object at 0x", "site-packages", ".py"):
        assert inside not in response.text
    if field is not None:
        assert field in {error["field"] for error in found["errors"]}, found
    return found


def contents(redis: Redis) -> dict[bytes, object]:
    """All that is in the server but what is of no single job and stays."""
    lasting = {totals.KEY.encode(), b"rq:queues", b"atelier:webhook-secret", b"atelier:recount"}
    keys = sorted(key for key in redis.scan_iter() if key not in lasting)
    return {key: _value(redis, key) for key in keys}


def traces(redis: Redis, needles: Sequence[str]) -> set[bytes]:
    """Keys in whose name or value one of the needles is found."""
    found = set()
    for key, value in contents(redis).items():
        text = f"{key!r} {value!r}"
        if any(needle in text for needle in needles):
            found.add(key)
    return found


def _value(redis: Redis, key: bytes) -> object:
    # The commands' types are those of a server of any kind, so the answers are called Any.
    kind = cast("bytes", redis.type(key)).decode()
    read: Mapping[str, Any] = {
        "string": lambda: redis.get(key),
        "hash": lambda: redis.hgetall(key),
        "list": lambda: redis.lrange(key, 0, -1),
        "set": lambda: redis.smembers(key),
        "zset": lambda: redis.zrange(key, 0, -1, withscores=True),
        "stream": lambda: redis.xrange(key),
        "none": lambda: None,  # it expired meanwhile
    }
    return cast("object", read[kind]())
