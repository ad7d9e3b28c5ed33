"""What happens to the pictures of a batch, entered in its book by the transactions that do it."""

from datetime import UTC, datetime

from redis import Redis
from rq.job import Job as RqJob

from worker.batches.book import OPEN, batch_key, cursor_key, failures_key, jobs_key
from worker.batches.records import Place
from worker.records import JobError, Status

_FINISH = """
local function note_end(batch, now, open, id)
  local left = 0
  for _, number in ipairs(redis.call('HMGET', batch, 'n.waiting', 'n.queued', 'n.running')) do
    left = left + tonumber(number or 0)
  end
  if left == 0 then
    redis.call('HSETNX', batch, 'finished_at', now)
  elseif redis.call('HDEL', batch, 'finished_at') == 1 then
    redis.call('ZADD', open, 'NX', redis.call('TIME')[1], id)
  end
end
"""

#: Enters that a picture has come into a status, and what it means for the batch. One that is gone
#: is canceled, if it had not ended.
_MOVE = (
    _FINISH
    + """
local batch, jobs, failures, record, open = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, number, status, job, now, problem = unpack(ARGV)
local ttl = redis.call('TTL', batch)
if ttl < 0 then return end
local before = string.match(redis.call('HGET', jobs, number) or 'waiting', '^%a+')
if status == 'gone' then
  if before ~= 'queued' and before ~= 'running' then return end
  status = 'canceled'
end
redis.call('HSET', jobs, number, status .. ':' .. job)
redis.call('EXPIRE', jobs, ttl)
redis.call('HINCRBY', batch, 'n.' .. before, -1)
redis.call('HINCRBY', batch, 'n.' .. status, 1)
if status == 'failed' then
  if problem == '' then problem = redis.call('HGET', record, 'atelier.error') or '' end
  redis.call('HSET', failures, number, problem)
  redis.call('EXPIRE', failures, ttl)
else
  redis.call('HDEL', failures, number)
end
note_end(batch, now, open, id)
"""
)

#: Cancels the pictures that have not come so far: there will be no turn of theirs.
_END_WAITING = (
    _FINISH
    + """
local batch, cursor, open = KEYS[1], KEYS[2], KEYS[3]
local id, total, now = unpack(ARGV)
local waiting = tonumber(redis.call('HGET', batch, 'n.waiting') or 0)
if waiting == 0 then return end
redis.call('SET', cursor, total, 'KEEPTTL')
redis.call('HSET', batch, 'n.waiting', 0)
redis.call('HINCRBY', batch, 'n.canceled', waiting)
note_end(batch, now, open, id)
"""
)


def move(connection: Redis, written: str | None, job_id: str, status: Status) -> None:
    """A job has come into a status; ``connection`` may be the pipeline that says so.

    Args:
        connection: to Redis.
        written: the job's place in a batch, as its record has it; None where it is in none.
        job_id: of the job.
        status: that it comes into.
    """
    if written is not None:
        _move(connection, Place.read(written), job_id, status)


def leave(connection: Redis, written: str | None, job_id: str) -> None:
    """A job is deleted: where it has not ended it never will."""
    if written is not None:
        _move(connection, Place.read(written), job_id, "gone")


def fail(connection: Redis, place: Place, problem: JobError) -> None:
    """A picture cannot become a job."""
    _move(connection, place, "", "failed", problem.model_dump_json())


def _move(connection: Redis, place: Place, job_id: str, status: str, problem: str = "") -> None:
    batch, record = place.batch, RqJob.key_for(job_id)
    keys = [batch_key(batch), jobs_key(batch), failures_key(batch), record, OPEN]
    facts = [batch, str(place.number), status, job_id, _now(), problem]
    connection.eval(_MOVE, len(keys), *keys, *facts)


def end_waiting(connection: Redis, batch: str, total: int) -> None:
    """Pictures that have not become jobs are canceled, and never will."""
    keys = [batch_key(batch), cursor_key(batch), OPEN]
    connection.eval(_END_WAITING, len(keys), *keys, batch, str(total), _now())


def _now() -> str:
    return datetime.now(UTC).isoformat()
