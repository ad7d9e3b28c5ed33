"""How far does it go: with more workers, and with 100,000 jobs in the queue?

    python -m benchmarks.scale [workers|queue]

On one Valkey, here:

- jobs a second with 1, 2, 4 and 8 worker processes whose devices take a known time for a job, as a
  share of what so many devices could do at most; and what that costs Redis and the processors;
- what a client of the API waits for with 100,000 jobs in the queue, against none.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from benchmarks.crowd import crew, queue
from benchmarks.front import servers

#: Workers, seconds of a job, and jobs for each worker. The last ones ask for more than two cores.
TRIALS = ((1, 2.0, 4), (2, 2.0, 4), (4, 2.0, 4), (8, 2.0, 4), (8, 0.5, 8), (8, 0.1, 20))

#: Some seconds as a device has them: what a worker says in the course of a job.
LONG_TRIAL = (8, 15.0, 1)


#: Of each job.
COSTS = ("CPU of the workers", "CPU of Redis", "commands", "to Redis", "from Redis")


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=("workers", "queue"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=100_000, help="in the queue")
    parser.add_argument("--least", type=int, default=1, help="workers to begin with")
    asked = parser.parse_args()
    if asked.what != "queue":
        workers(asked.rounds, asked.least)
    if asked.what != "workers":
        asyncio.run(long_queue(asked.rounds, asked.jobs))


def workers(rounds: int, least: int) -> None:
    """Jobs a second, and their costs."""
    columns = ("workers", "seconds of a job", "jobs a second", "of linear", *COSTS)
    print(f"| {' | '.join(columns)} |")
    print(f"|{'--:|' * len(columns)}")
    with (
        tempfile.TemporaryDirectory(prefix="atelier-") as folder,
        servers.valkey(Path(folder)) as (url, _),
        crew.Crew(url, Path(folder)) as workers_there,
    ):
        for trial in [trial for trial in TRIALS if trial[0] >= least]:
            print(workers_there.row(rounds, *trial), flush=True)
        print(workers_there.row(1, *LONG_TRIAL), flush=True)
        print("Costs are of a job, of whose pictures the largest has 96 pixels.")


async def long_queue(rounds: int, jobs: int) -> None:
    """What a client waits for."""
    with (
        tempfile.TemporaryDirectory(prefix="atelier-") as folder,
        servers.valkey(Path(folder)) as (url, redis),
        servers.atelier(url) as api,
    ):
        client = await queue.Client.of(api)
        before = await client.milliseconds(rounds)
        memory = int(redis.info("memory")["used_memory"])
        queue.fill(url, await client.submit(), jobs, clients=10)
        each = (int(redis.info("memory")["used_memory"]) - memory) / jobs
        client = await queue.Client.of(api)  # the API has hung up on the other meanwhile
        after = await client.milliseconds(rounds)
    print(f"| | none waiting | {jobs:,} waiting | ratio |")
    print("|---|--:|--:|--:|")
    for deed, few in before.items():
        many = after[deed]
        print(f"| {deed} | {few:.1f} ms | {many:.1f} ms | {many / few:.2f} |")
    print(f"{each:.0f} bytes of Redis for each job, beside its pictures")


if __name__ == "__main__":
    main()
