"""A web server on a folder, which remembers what it was asked."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Web:
    """A server.

    Attributes:
        url: of its root, without a slash at the end.
        asked: paths that were asked of it.
    """

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """The server of a folder."""
    web = Web("")

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            super().do_GET()

        def log_message(self, *_args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        web.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield web
        server.shutdown()
        thread.join()
