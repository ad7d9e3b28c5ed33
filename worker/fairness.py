"""Whose turn it is: round robin over clients, by start-time fair queuing.

RQ's list is the one queue, and the truth of its order. Here a job that is handed in is moved from
the end of the list to its place, which is that of its start tag (Goyal, Vin and Cheng 1996,
section 2, for packets of equal length): the greater of the virtual time and the last tag of its
flow plus one. The virtual time is the tag of the job that was taken last. Jobs with one tag, a
round, wait in the order in which they came. A job keeps its tag, also when earlier jobs of its flow
are canceled.

A flow is the jobs of one client at one priority. Urgent flows are some rounds ahead of the virtual
time and so before all others, until they have used that up: then they take turns with them.

Jobs without a tag (put back at the front, or handed in by an older Atelier) stay where they are.
"""

from typing import cast

from redis import Redis

from worker.painting_job import PaintingJob

#: By how many rounds the jobs of each priority are ahead.
HEAD_START = {"normal": 0, "high": 8}

#: Start tags of waiting jobs, by ``ID:FLOW``; with the flow after a colon, of one flow.
_TAGS = "atelier:tags"

#: Start tag of the job that was taken last, by flow.
_TAKEN = "atelier:tags-taken"

#: What the scripts have in common. A score is the tag and, in its fraction, the order of those that
#: have the same. Whoever has a tag and is not in the list any more has been taken: whether by this
#: version of Atelier, and whether its worker has lived to say so, is all one.
_COMMON = """
local queue, tags, taken = KEYS[1], KEYS[2], KEYS[3]

local function parts(entry) return entry:match('^(.-):(.*)$') end

local function drop(entry)
  local _, flow = parts(entry)
  redis.call('ZREM', tags, entry)
  redis.call('ZREM', tags .. ':' .. flow, entry)
end

local function settle()
  local first, score = unpack(redis.call('ZRANGE', tags, 0, 0, 'WITHSCORES'))
  while first do
    local job, flow = parts(first)
    if redis.call('LPOS', queue, job) then return end
    redis.call('ZADD', taken, score, flow)
    drop(first)
    first, score = unpack(redis.call('ZRANGE', tags, 0, 0, 'WITHSCORES'))
  end
  redis.call('DEL', taken)  -- nobody waits, so nobody is ahead of anybody
end
"""

#: Says a job's place in the list, from 0, or nil where it is not there. To walk along a list of
#: 100,000 takes milliseconds, in which Redis does nothing else, so those with a tag are counted by
#: their ranks; those without are in front of them, but for what no present Atelier has queued.
PLACE = """
local function place(queue, tags, record, job)
  local client, priority = unpack(redis.call('HMGET', record, 'atelier.client', 'atelier.priority'))
  client = client and cjson.decode(client) or ''
  priority = priority and cjson.decode(priority) or 'normal'
  local rank = redis.call('ZRANK', tags, job .. ':' .. client .. ':' .. priority)
  if not rank then return redis.call('LPOS', queue, job) end
  -- Below 0: a worker is just taking it.
  return math.max(0, rank + redis.call('LLEN', queue) - redis.call('ZCARD', tags))
end
"""

_LOCATE = f"{PLACE} return place(KEYS[1], KEYS[2], KEYS[3], ARGV[1])"

_SETTLE = f"{_COMMON} settle()"

_LEAVE = f"{_COMMON} drop(ARGV[1]) settle()"

_ENTER = f"""{_COMMON}
local entry, head_start, longest_head_start = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local job, flow = parts(entry)

local function tag_of(score) return score and math.floor(score) end

local function start_tag()
  local now = tag_of(redis.call('ZREVRANGE', taken, 0, 0, 'WITHSCORES')[2]) or 0
  now = math.max(now, 0)  -- it does not go back to urgent ones, which are ahead of it
  redis.call('ZREMRANGEBYSCORE', taken, '-inf', '(' .. now - longest_head_start)
  local last = redis.call('ZREVRANGE', tags .. ':' .. flow, 0, 0, 'WITHSCORES')[2]
  last = tag_of(last or redis.call('ZSCORE', taken, flow)) or -math.huge
  return math.max(now - head_start, last + 1)
end

local function score_for(tag)
  local round = {{'(' .. tag + 1, tag, 'WITHSCORES', 'LIMIT', 0, 1}}
  local last = redis.call('ZREVRANGEBYSCORE', tags, unpack(round))[2]
  return ('%.17g'):format(last and last + 2 ^ -20 or tag)
end

local function put_into_place(score)
  redis.call('LREM', queue, -1, job)
  local follower = redis.call('ZRANGEBYSCORE', tags, '(' .. score, '+inf', 'LIMIT', 0, 1)[1]
  while follower do
    if redis.call('LINSERT', queue, 'BEFORE', parts(follower), job) > 0 then return end
    drop(follower)
    follower = redis.call('ZRANGEBYSCORE', tags, '(' .. score, '+inf', 'LIMIT', 0, 1)[1]
  end
  redis.call('RPUSH', queue, job)
end

settle()
drop(entry)
local score = score_for(start_tag())
put_into_place(score)
redis.call('ZADD', tags, score, entry)
redis.call('ZADD', tags .. ':' .. flow, score, entry)
"""


class FairOrder:
    """The order of one queue; safe to share between threads.

    Each method takes a pipeline as well, so that it is part of what becomes of a job.
    """

    def __init__(self, queue: str) -> None:
        self._keys = (queue, _TAGS, _TAKEN)

    def enter(self, job: PaintingJob, connection: Redis) -> None:
        """Moves a job, which is at the end of the list, to its place."""
        head_start = HEAD_START.get(job.priority, 0)
        self._run(_ENTER, connection, _entry(job), head_start, max(HEAD_START.values()))

    def leave(self, job: PaintingJob, connection: Redis) -> None:
        """Forgets the tag of a job that is not to be painted; its flow has the turn back."""
        self._run(_LEAVE, connection, _entry(job))

    def settle(self, connection: Redis) -> None:
        """Takes note of the jobs that have been taken."""
        self._run(_SETTLE, connection)

    def locate(self, job_id: str, connection: Redis) -> int | None:
        """A waiting job's place in the list, from 0, or None where it is not there.

        With a pipeline, of this client or an asynchronous one, it is among the answers instead.
        """
        keys = self.keys_of(job_id)
        return cast("int | None", connection.eval(_LOCATE, len(keys), *keys, job_id))

    def keys_of(self, job_id: str) -> tuple[str, str, str]:
        """What ``PLACE`` looks at."""
        return (*self._keys[:2], PaintingJob.key_for(job_id))

    def _run(self, script: str, connection: Redis, *arguments: str | int) -> None:
        connection.eval(script, len(self._keys), *self._keys, *arguments)


def _entry(job: PaintingJob) -> str:
    return f"{job.id}:{job.client or ''}:{job.priority}"
