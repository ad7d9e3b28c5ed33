"""A server that speaks S3, a real one on this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from moto.server import ThreadedMotoServer

URL = "s3://pictures/atelier"


@contextmanager
def serving_s3() -> Iterator[Mapping[str, str]]:
    """The server, with a bucket for `URL`; gives the environment that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    httpx.put(f"http://{host}:{port}/pictures", trust_env=False).raise_for_status()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "anna",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    server.stop()
