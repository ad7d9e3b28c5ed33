"""Workers say that they are there, and are forgotten when they no longer do."""

from redis import Redis

from worker import presence
from worker.presence import WorkerInfo
from worker.records import FeaturesUsed


def worker(name: str) -> WorkerInfo:
    return WorkerInfo(
        name=name,
        host="here",
        pid=1,
        version="1",
        started_at="now",
        features=FeaturesUsed(name="bundled", sha256="0"),
        devices=[],
    )


def test_announced_workers_are_listed_by_name(redis: Redis) -> None:
    for name in ("b", "a"):
        presence.announce(redis, worker(name))
    assert presence.workers(redis) == [worker("a"), worker("b")]


def test_a_worker_that_withdraws_is_gone_at_once(redis: Redis) -> None:
    presence.announce(redis, worker("a"))
    presence.withdraw(redis, "a")
    assert presence.workers(redis) == []
    assert not redis.keys("*")


def test_a_worker_that_falls_silent_is_forgotten(redis: Redis) -> None:
    presence.announce(redis, worker("a"))
    redis.zadd("atelier:workers", {"a": 1.0})  # its time was over long ago
    assert presence.workers(redis) == []
    assert not redis.exists("atelier:workers")


def test_what_is_said_expires_by_itself(redis: Redis) -> None:
    presence.announce(redis, worker("a"))
    assert 0 < redis.ttl("atelier:worker:a") <= presence.TTL_SECONDS
