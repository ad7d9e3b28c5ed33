"""The downloader against a real server on loopback that cuts, lies, changes and keeps silent."""

import hashlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from model.download import download
from model.errors import FeaturesFormatError, FeaturesUnavailableError

REPOSITORY = Path(__file__).parents[2]
BODY = bytes(range(256)) * 4096  # 1 MiB in which every piece says where it belongs
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2

pytestmark = pytest.mark.usefixtures("no_proxy")


class FileServer(ThreadingHTTPServer):
    """One file, and how it goes wrong."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/weights.h5"
        self.body = BODY
        self.marks = {"ETag": '"one"'}
        self.status = 200
        self.takes_ranges = True
        self.answers_from_the_start = False  # to every Range, and calls it partial all the same
        self.cuts: list[int] = []  # bytes after which the first answers break off
        self.half_is_out = threading.Event()
        self.go_on = threading.Event()  # every answer waits for it after its half
        self.go_on.set()
        self.asked: list[str | None] = []  # the Range of every request

    def handle_error(self, *_args: Any) -> None:
        pass  # a client that was killed


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        range_ = self.headers["Range"]
        self.server.asked.append(range_)
        start = int(range_[6:-1]) if range_ and self._is_unchanged() else None
        if start is not None and start >= len(self.server.body):
            self._head(416, 0)
        elif start is None:
            self._head(self.server.status, len(self.server.body))
            self._send(self.server.body)
        else:
            start = 0 if self.server.answers_from_the_start else start
            rest = self.server.body[start:]
            last = len(self.server.body) - 1
            self._head(206, len(rest), {"Content-Range": f"bytes {start}-{last}/{last + 1}"})
            self._send(rest)

    def _is_unchanged(self) -> bool:
        condition = self.headers["If-Range"]
        return self.server.takes_ranges and condition in self.server.marks.values()

    def _head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in {**self.server.marks, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes) -> None:
        body = body[: self.server.cuts.pop(0)] if self.server.cuts else body
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.server.half_is_out.set()
        self.server.go_on.wait(20)
        self.wfile.write(body[half:])

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights.h5"


def left_behind(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} - {f"{target.name}.lock"}


def test_it_fetches_the_whole_file_and_leaves_nothing_else(
    server: FileServer, target: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    arrived = download(
        server.url,
        target,
        sha256=SHA256.upper(),
        md5=hashlib.md5(BODY).hexdigest(),
        size=len(BODY),
        on_progress=lambda here, total: seen.append((here, total)),
    )
    assert arrived == target
    assert target.read_bytes() == BODY
    assert left_behind(target) == {target.name}
    assert seen == sorted(seen)
    assert seen[-1] == (len(BODY), len(BODY))


def test_the_target_appears_in_one_step(server: FileServer, target: Path) -> None:
    seen: list[bool] = []
    files: set[int] = set()

    def look(_here: int, _total: int | None) -> None:
        seen.append(target.exists())
        files.add(target.with_name("weights.h5.part").stat().st_ino)

    download(server.url, target, on_progress=look)
    assert seen
    assert not any(seen)
    assert files == {target.stat().st_ino}  # renamed, not copied


def test_a_cut_connection_is_taken_up_where_it_broke_off(server: FileServer, target: Path) -> None:
    server.cuts = [HALF, 1000]
    pauses: list[float] = []
    download(server.url, target, sha256=SHA256, sleep=pauses.append)
    assert server.asked == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert pauses == [0.5, 1.0]
    assert target.read_bytes() == BODY


def test_the_next_call_takes_it_up_too(server: FileServer, target: Path) -> None:
    server.cuts = [HALF]
    with pytest.raises(FeaturesUnavailableError):
        download(server.url, target, pauses_seconds=())
    assert not target.exists()
    download(server.url, target, sha256=SHA256)
    assert server.asked == [None, f"bytes={HALF}-"]


def test_it_gives_up_after_a_few_tries(server: FileServer, target: Path) -> None:
    server.cuts = [10] * 9
    pauses: list[float] = []
    with pytest.raises(FeaturesUnavailableError, match=r"^127\.0\.0\.1 gave no file: peer closed"):
        download(server.url, target, pauses_seconds=(1, 2), sleep=pauses.append)
    assert pauses == [1, 2]


def test_it_gives_up_when_its_time_is_over(server: FileServer, target: Path) -> None:
    with pytest.raises(FeaturesUnavailableError, match="takes too long"):
        download(server.url, target, give_up_after_seconds=0, sleep=lambda _: pytest.fail("slept"))


def test_a_server_without_ranges_sends_it_all_again(server: FileServer, target: Path) -> None:
    server.cuts = [HALF]
    server.takes_ranges = False
    download(server.url, target, sha256=SHA256, sleep=lambda _: None)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("marks", [{}, {"ETag": 'W/"one"'}])
def test_a_version_without_a_strong_mark_is_not_taken_up(
    server: FileServer, target: Path, marks: dict[str, str]
) -> None:
    server.cuts = [HALF]
    server.marks = marks
    download(server.url, target, sha256=SHA256, sleep=lambda _: None)
    assert server.asked == [None, None]


def test_a_date_marks_a_version(server: FileServer, target: Path) -> None:
    server.cuts = [HALF]
    server.marks = {"ETag": 'W/"one"', "Last-Modified": "Fri, 01 May 2026 10:00:00 GMT"}
    download(server.url, target, sha256=SHA256, sleep=lambda _: None)
    assert server.asked == [None, f"bytes={HALF}-"]


def test_a_changed_file_is_not_glued_to_the_old_one(server: FileServer, target: Path) -> None:
    server.cuts = [HALF]

    def change(_seconds: float) -> None:
        server.body, server.marks = BODY[::-1], {"ETag": '"two"'}

    download(server.url, target, sleep=change)
    assert target.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("trouble", ["shorter", "elsewhere", "zeros"])
def test_what_cannot_be_continued_is_begun_anew(
    server: FileServer, target: Path, trouble: str
) -> None:
    server.cuts = [HALF]
    with pytest.raises(FeaturesUnavailableError):
        download(server.url, target, pauses_seconds=())
    if trouble == "shorter":
        server.body = BODY[:1000]
    elif trouble == "elsewhere":
        server.answers_from_the_start = True
    else:  # what a power cut can leave of a small file
        target.with_name("weights.h5.part.version").write_bytes(bytes(5))
    download(server.url, target, sleep=lambda _: None)
    assert target.read_bytes() == server.body
    assert server.asked[-1] is None


@pytest.mark.parametrize(
    "expected", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"size": len(BODY) - 1}]
)
def test_what_is_not_as_expected_is_deleted(
    server: FileServer, target: Path, expected: dict[str, Any]
) -> None:
    with pytest.raises(FeaturesFormatError, match=r"^weights\.h5 should have .*\. Received: "):
        download(server.url, target, **expected)
    assert left_behind(target) == set()


def test_a_body_without_end_does_not_fill_the_disk(server: FileServer, target: Path) -> None:
    seen: list[int] = []
    with pytest.raises(FeaturesFormatError, match="should have 1000 bytes"):
        download(server.url, target, size=1000, on_progress=lambda here, _: seen.append(here))
    assert seen[-1] <= HALF


def test_a_body_that_ends_early_without_a_word_is_a_cut(server: FileServer, target: Path) -> None:
    server.body = BODY[:HALF]

    def grow(_seconds: float) -> None:
        server.body = BODY

    download(server.url, target, size=len(BODY), sha256=SHA256, sleep=grow)
    assert server.asked == [None, f"bytes={HALF}-"]


def test_a_file_that_is_there_is_not_asked_for(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY)
    download(server.url, target, sha256=SHA256)
    assert server.asked == []
    assert not target.with_name("weights.h5.lock").exists()  # its folder may be read-only


def test_a_damaged_file_is_replaced(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY[1:])
    download(server.url, target, sha256=SHA256)
    assert target.read_bytes() == BODY


def test_a_whole_piece_only_needs_its_name(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("weights.h5.part").write_bytes(BODY)
    download(server.url, target, size=len(BODY), sha256=SHA256)
    assert server.asked == []
    assert left_behind(target) == {target.name}


def test_no_is_an_answer_that_names_the_host_and_no_secret(
    server: FileServer, target: Path
) -> None:
    server.status = 404
    url = server.url.replace("//", "//user:hunter2@") + "?token=hunter2"
    with pytest.raises(FeaturesUnavailableError) as caught:
        download(url, target, sleep=lambda _: pytest.fail("slept"))
    assert str(caught.value) == "127.0.0.1 gave no file: 404 Not Found"
    assert left_behind(target) == set()


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "nobody.invalid"])
def test_without_a_network_it_says_so_within_three_seconds(target: Path, host: str) -> None:
    begun = time.monotonic()
    with pytest.raises(FeaturesUnavailableError, match=rf"^{re.escape(host)} gave no file: "):
        download(f"http://{host}:{refused_port()}/w", target, connect_timeout_seconds=2.5)
    assert time.monotonic() - begun < 3


def test_a_server_that_keeps_silent_is_no_network(target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w"
        begun = time.monotonic()
        with pytest.raises(FeaturesUnavailableError, match=r"no answer within 0\.2 s"):
            download(url, target, connect_timeout_seconds=0.2)
        assert time.monotonic() - begun < 2


def test_a_name_server_that_keeps_silent_is_no_network(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def look_up(*_args: object, **_options: object) -> None:
        answer.wait(20)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    begun = time.monotonic()
    try:
        with pytest.raises(FeaturesUnavailableError, match=r"no answer within 0\.2 s"):
            download("http://nobody.invalid/w", target, connect_timeout_seconds=0.2)
        assert time.monotonic() - begun < 2
    finally:
        answer.set()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{port}", "nonsense://proxy"])
def test_trouble_with_the_proxy_is_no_network(
    server: FileServer, target: Path, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(port=refused_port()))
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(FeaturesUnavailableError):
        download(server.url, target)
    assert server.asked == []


def test_of_two_at_once_the_second_takes_the_first_ones_file(
    server: FileServer, target: Path
) -> None:
    server.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(download, server.url, target, sha256=SHA256) for _ in range(2)]
        assert server.half_is_out.wait(10)
        server.half_is_out.clear()
        assert not server.half_is_out.wait(0.5), "the second asked as well"
        server.go_on.set()
        assert [future.result(10) for future in both] == [target, target]
    assert server.asked == [None]
    assert target.read_bytes() == BODY


CHILD = """
import sys
from pathlib import Path
from model.download import download
download(sys.argv[1], Path(sys.argv[2]), on_progress=lambda here, _: print(here, flush=True))
"""


def test_a_killed_process_leaves_its_piece_and_its_lock_to_the_next(
    server: FileServer, target: Path
) -> None:
    server.go_on.clear()
    command = [sys.executable, "-c", CHILD, server.url, str(target)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert any(int(line) == HALF for line in child.stdout)
        child.kill()
    server.go_on.set()
    download(server.url, target, sha256=SHA256)
    first, second = server.asked
    assert first is None
    assert second is not None
    assert second.startswith("bytes=")


def test_a_full_disk_is_said_and_given_back_its_room(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("weights.h5.part").symlink_to("/dev/full")
    with pytest.raises(
        FeaturesUnavailableError, match=r"^the disk is full: there is no room for weights\.h5$"
    ):
        download(server.url, target)
    assert left_behind(target) == set()


def test_a_folder_that_cannot_be_made_is_said_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FeaturesUnavailableError, match=r"^the disk refused w: ") as caught:
        download("http://127.0.0.1/w", tmp_path / "file" / "w")
    assert str(tmp_path) not in str(caught.value)


def test_it_needs_no_tensorflow() -> None:
    code = "import sys, model.imagenet; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
