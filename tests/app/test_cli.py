"""The ``atelier`` command: paintings made here and on a server, and errors in one sentence."""

import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.cli import main
from model.params import StyleTransferParams
from tests.app.api import SHORT, ended, painted, pictures
from tests.house import House, Process, eventually
from tests.pictures import halves

SMALL = ("--size", "64", "--quality", "draft", "--steps", "3")

#: As wide as helps, and without colours, whatever the terminal of this run is.
PLAIN = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}

#: Nothing is downloaded.
QUICK = {"ATELIER_FEATURES": "bundled", "ATELIER_DEVICES": "cpu"}


class Desk:
    """A folder with two pictures, and the command."""

    def __init__(self, folder: Path, content: bytes, style: bytes) -> None:
        self.folder = folder
        self.content_bytes, self.style_bytes = content, style
        self.content = self.put("town.jpg", content)
        self.style = self.put("waves.png", style)
        self.output = folder / "painted.png"

    def put(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def start(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Process:
        """Starts ``atelier`` with settings for a quick start."""
        environment = QUICK | PLAIN | dict(settings or {})
        return Process(*arguments, environment=environment, log=self.folder / "atelier.log")

    def run(
        self, *arguments: str, within: float = 30.0, settings: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Runs ``atelier``; gives its exit code and its output."""
        with self.start(*arguments, settings=settings) as process:
            return process.wait(within=within), process.output

    def stylize(self, *options: str, within: float = 30.0) -> tuple[int, str]:
        """Runs ``atelier stylize`` on the two pictures."""
        return self.run(*self._stylize(*options), within=within)

    def answer(self, *arguments: str) -> tuple[int, str]:
        """The same as ``run``, within this process: for what is answered before anything begins."""
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["atelier", *arguments])
            for name in [name for name in os.environ if name.startswith("ATELIER_")]:
                patch.delenv(name)
            for name, value in (QUICK | PLAIN).items():
                patch.setenv(name, value)
            with redirect_stdout(output), redirect_stderr(output), pytest.raises(SystemExit) as end:
                main()
        return int(end.value.code or 0), output.getvalue()

    def answer_to_stylize(self, *options: str) -> tuple[int, str]:
        """The same as ``stylize``, within this process."""
        return self.answer(*self._stylize(*options))

    def _stylize(self, *options: str) -> tuple[str, ...]:
        return ("stylize", self.content, self.style, "--output", str(self.output), *options)


@pytest.fixture
def desk(tmp_path: Path, content: bytes, style: bytes) -> Desk:
    return Desk(tmp_path, content, style)


def one_sentence(outcome: tuple[int, str]) -> str:
    """The sentence that all the output of a failed command is."""
    code, output = outcome
    assert code == 1, output
    found = re.fullmatch(r"\s*atelier: (.*[^.]\.)\s*", output)
    assert found, f"not one sentence: {output[-1500:]}"
    return found.group(1)


# Paintings.


def test_a_painting_made_here_has_the_bytes_of_one_made_through_http(
    desk: Desk, studio: httpx.Client, house: House, content: bytes, style: bytes
) -> None:
    noisy = ("--init", "noise", "--seed", "7")
    code, output = desk.stylize(*SMALL, *noisy, within=120)
    assert code == 0, output
    assert f"The painting is in {desk.output}" in output
    here = desk.output.read_bytes()
    desk.output.unlink()

    code, output = desk.stylize(*SMALL, *noisy, "--server", house.url)
    assert code == 0, output
    assert desk.output.read_bytes() == here

    fields = SHORT | {"init": "noise", "seed": "7"}
    assert painted(studio, pictures(content, style), **fields) == here


def test_masks_paint_the_same_here_and_on_a_server_and_summaries_are_written_here(
    desk: Desk, studio: httpx.Client, house: House
) -> None:
    masks = (
        "--content-mask",
        desk.put("town-mask.png", halves(48, 36, "#ff0000", "#00ff00")),
        "--style-mask",
        desk.put("waves-mask.jpg", halves(80, 80, "#00ff00", "#ff0000", "JPEG")),
    )
    logdir = desk.folder / "runs" / "first"
    code, output = desk.stylize(*SMALL, *masks, "--logdir", str(logdir), within=120)
    assert code == 0, output
    here = desk.output.read_bytes()
    (written,) = logdir.iterdir()
    for tag in (b"loss/style/block5_conv1", b"loss/content/block3_conv2", b"painting"):
        assert tag in written.read_bytes()

    code, output = desk.stylize(*SMALL, *masks, "--server", house.url)
    assert code == 0, output
    assert desk.output.read_bytes() == here
    files = pictures(desk.content_bytes, desk.style_bytes)
    assert painted(studio, files, **SHORT) != here, "the masks had their part in it"


def test_options_reach_the_server_as_they_were_given(
    desk: Desk, studio: httpx.Client, house: House
) -> None:
    options = "--style-weights 1 --style-weights 3 --tv-weight 0 --preserve-color luminance"
    arguments = (desk.content, desk.style, desk.content, "-o", str(desk.folder / "out.jpg"))
    code, output = desk.run(
        "stylize", *arguments, *SMALL, *options.split(), "--server", f"{house.url}/"
    )
    assert code == 0, output
    with Image.open(desk.folder / "out.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 48))
    newest = studio.get("/v1/jobs", params={"limit": 1}).json()["jobs"][0]
    asked = {"style_weights": [1, 3], "tv_weight": 0, "preserve_color": "luminance", "steps": 3}
    assert asked.items() <= newest["params"].items()
    assert newest["params"]["content_weight"] == 1.0
    assert newest["params"]["format"] == "jpeg"


def test_the_format_that_is_asked_for_wins_over_the_ending(desk: Desk, house: House) -> None:
    code, output = desk.stylize(*SMALL, "--format", "webp", "--server", house.url)
    assert code == 0, output
    with Image.open(io.BytesIO(desk.output.read_bytes())) as picture:
        assert picture.format == "WEBP"


def test_ctrl_c_cancels_the_job_on_the_server(
    desk: Desk, studio: httpx.Client, house: House
) -> None:
    arguments = (desk.content, desk.style, "-o", str(desk.output), "--server", house.url)
    with desk.start("stylize", *arguments, *SMALL[:4], "--steps", "5000") as process:
        running = {"status": "running"}
        (job,) = eventually(
            lambda: studio.get("/v1/jobs", params=running).json()["jobs"], within=20, what="runs"
        )
        process.signal(signal.SIGINT)
        assert process.wait(within=5) not in {0, -signal.SIGKILL}
        assert "Traceback" not in process.output
    assert ended(studio, job, within=5)["status"] == "canceled"
    assert not desk.output.exists()


# Errors.


def with_option(*options: str) -> Callable[[Desk], tuple[int, str]]:
    return lambda desk: desk.answer_to_stylize(*options)


def with_files(content: str, output: str) -> Callable[[Desk], tuple[int, str]]:
    def run(desk: Desk) -> tuple[int, str]:
        desk.put("notes.txt", b"not a picture")
        where = [str(desk.folder / name) for name in (content, output)]
        return desk.answer("stylize", where[0], desk.style, "-o", where[1])

    return run


ERRORS: dict[str, tuple[Callable[[Desk], tuple[int, str]], str]] = {
    "a size out of range": (with_option("--size", "9"), "--size: .* Received: 9"),
    "steps out of range": (with_option("--steps", "0"), "--steps: .* Received: 0"),
    "a weight that is no number": (with_option("--tv-weight", "nan"), "--tv-weight: .* nan"),
    "weights that are all zero": (with_option("--style-weights", "0"), "at least must be above 0"),
    "an ending that says no format": (with_files("town.jpg", "x.gif"), r"Received: 'x\.gif'"),
    "a file that is not there": (with_files("nowhere.jpg", "x.png"), "nowhere.jpg cannot be read"),
    "a folder": (with_files("", "x.png"), "cannot be read: Is a directory"),
    "a file that is no picture": (with_files("notes.txt", "x.png"), "Received: a text"),
    "a mask that is not there": (
        with_option("--content-mask", "nowhere.png"),
        "nowhere.png cannot be read",
    ),
    "a mask without those of the styles": (
        lambda desk: desk.answer_to_stylize("--content-mask", desk.content),
        "Masks come together.* 1 content_mask and 0 style_mask for 1 style pictures",
    ),
    "summaries of a painting made elsewhere": (
        with_option("--logdir", "runs", "--server", "http://127.0.0.1:1"),
        "--logdir and --server do not go together",
    ),
    "a folder for summaries that is a file": (
        lambda desk: desk.answer_to_stylize("--logdir", desk.content),
        "town.jpg cannot be written: ",
    ),
    "no server there": (with_option("--server", "http://127.0.0.1:1"), "http://127.0.0.1:1"),
    "an address without http": (with_option("--server", "nonsense"), "nonsense"),
    "an address that is none": (with_option("--server", "http://[::1"), "http://"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_stylize_is_one_sentence(desk: Desk, name: str) -> None:
    attempt, said = ERRORS[name]
    assert re.search(said, one_sentence(attempt(desk)))
    assert not desk.output.exists()


def test_a_style_of_ours_is_taken_by_its_name(desk: Desk) -> None:
    code, output = desk.run("stylize", desk.content, "woodcut", "-o", str(desk.output), *SMALL)
    assert code == 0, output
    with Image.open(desk.output) as painting:
        assert painting.size == (64, 48)


def test_a_name_that_is_neither_a_style_of_ours_nor_a_file_is_refused(desk: Desk) -> None:
    attempt = desk.answer("stylize", desk.content, "nothing", "-o", str(desk.output))
    assert "nothing cannot be read" in one_sentence(attempt)


def test_the_refusal_of_a_server_is_told_in_its_words(desk: Desk, api: httpx.Client) -> None:
    weights = ("--style-weights", "1", "--style-weights", "2")
    sentence = one_sentence(desk.answer_to_stylize(*weights, "--server", str(api.base_url)))
    assert sentence.endswith("Received: 2 weights for 1 pictures.")


def test_an_output_that_cannot_be_written_is_known_before_the_painting(
    desk: Desk, api: httpx.Client
) -> None:
    desk.output = desk.folder / "no" / "such" / "folder.png"
    sentence = one_sentence(desk.answer_to_stylize("--server", str(api.base_url)))
    assert f"{desk.output} cannot be written" in sentence
    assert api.get("/v1/jobs").json()["jobs"] == []


class SomethingElse(BaseHTTPRequestHandler):
    """A web server that is not an Atelier."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), SomethingElse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_is_no_atelier_is_told_in_one_sentence(desk: Desk, elsewhere: str) -> None:
    assert elsewhere in one_sentence(desk.answer_to_stylize("--server", elsewhere))


WRONG_SETTINGS = [
    ("up", {"ATELIER_PORT": "abc"}, "ATELIER_PORT"),
    ("api", {"ATELIER_LOG_LEVEL": "loud"}, "ATELIER_LOG_LEVEL"),
    ("worker", {"ATELIER_MAX_ATTEMPTS": "0"}, "ATELIER_MAX_ATTEMPTS"),
    ("api", {}, "ATELIER_REDIS_URL must say where Redis is"),
    ("api", {"ATELIER_REDIS_URL": "redis://127.0.0.1:1"}, r"127\.0\.0\.1:1 "),
    ("api", {"ATELIER_REDIS_URL": "redis://:hush@127.0.0.1:1"}, r"127\.0\.0\.1:1 "),
    ("api", {"ATELIER_REDIS_URL": "redis://:hush@127.0.0.1:port"}, "127.0.0.1"),
    ("api", {"ATELIER_REDIS_URL": "http://:hush@127.0.0.1"}, "redis://"),
    ("api", {"ATELIER_HOST": "203.0.113.1", "ATELIER_REDIS_URL": "redis://x"}, r"203\.0\.113\.1"),
    ("api", {"ATELIER_HOST": "no such host", "ATELIER_REDIS_URL": "redis://x"}, "no such host"),
]


@pytest.mark.parametrize(
    ("command", "settings", "said"),
    WRONG_SETTINGS,
    ids=[f"{command} {settings!s}" for command, settings, _ in WRONG_SETTINGS],
)
def test_a_setting_that_cannot_be_used_is_told_in_one_sentence_without_its_password(
    desk: Desk, command: str, settings: dict[str, str], said: str
) -> None:
    sentence = one_sentence(desk.run(command, settings={"ATELIER_PORT": "0"} | settings))
    assert re.search(said, sentence)
    assert "hush" not in sentence


# Help.


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(desk: Desk, flag: str) -> None:
    code, output = desk.answer(flag)
    assert code == 0
    for command in ("up", "api", "worker", "stylize"):
        assert re.search(rf"\b{command}\b  +[A-Z]", output), command


def test_help_on_stylize_has_every_parameter_with_its_words(desk: Desk) -> None:
    code, output = desk.answer("stylize", "--help")
    assert code == 0
    words = " ".join(re.sub(r"[│╭╮╰╯─]", " ", output).split())
    for name, field in StyleTransferParams.model_fields.items():
        assert f"--{name.replace('_', '-')} " in words
        assert field.description is not None
        assert field.description.split()[0] in words, name
    assert "--server" in words
    assert "Example: atelier stylize" in words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paint"], "No such command 'paint'"),
        (["stylize"], "Missing argument"),
        (["stylize", "a.jpg", "b.jpg"], "Missing option '--output'"),
        (["stylize", "a.jpg", "b.jpg", "-o", "c.png", "--quality", "ultra"], "'--quality'"),
        (["stylize", "a.jpg", "b.jpg", "-o", "c.png", "--colour", "blue"], "--colour"),
    ],
    ids=["command", "argument", "output", "choice", "option"],
)
def test_a_command_line_that_does_not_parse_says_why_and_where_help_is(
    desk: Desk, arguments: list[str], said: str
) -> None:
    code, output = desk.answer(*arguments)
    assert code == 2
    assert said in output
    assert "--help" in output or "-h" in output
    assert "Traceback" not in output
