"""``python -m worker.health``: whether Redis has lately heard of a worker of this host.

For a container's health check: the host is the container, and the worker its one process.
"""

import socket
import sys

from redis.exceptions import RedisError

from worker import presence
from worker.connections import connect_impatiently
from worker.settings import load_settings


def main() -> int:
    """0 if a worker is there, 1 if not."""
    connection = connect_impatiently(load_settings().required_redis_url)
    try:
        hosts = {worker.host for worker in presence.workers(connection)}
    except RedisError as error:
        sys.stderr.write(f"Redis does not answer: {error}\n")
        return 1
    return 0 if socket.gethostname() in hosts else 1


if __name__ == "__main__":
    sys.exit(main())
