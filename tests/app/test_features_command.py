"""``atelier features``: what would paint and why, the download, and other forms of the weights."""

import functools
import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from model import formats
from model.imagenet import Remote
from model.weights import BUNDLED
from tests.model import weights_files

ROOT = Path(__file__).parents[2]

#: The command, in a house whose ImageNet features lie elsewhere.
SCRIPT = """
import sys
from model import imagenet
imagenet.KERAS_VGG19 = imagenet.Remote(sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1))
from app.cli import main
main()
"""


class Handler(SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_args: object) -> None:
        pass


@dataclass
class Desk:
    """A folder, and the command with a data folder of its own in it."""

    folder: Path
    remote: Remote

    @property
    def cached(self) -> Path:
        return self.folder / "data" / "features" / "vgg.h5"

    def run(
        self, *arguments: str, settings: Mapping[str, str] | None = None, script: str = SCRIPT
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``atelier features``."""
        remote = (self.remote.url, str(self.remote.size), self.remote.md5)
        return subprocess.run(
            [sys.executable, "-c", script, *remote, "features", *arguments],
            cwd=ROOT,
            env={"ATELIER_DATA_DIR": str(self.folder / "data"), **(settings or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def succeed(self, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
        """What it says on stdout; on stderr it says nothing that would stay on a terminal."""
        done = self.run(*arguments, settings=settings)
        assert (done.returncode, done.stderr.strip()) == (0, "")
        return done.stdout

    def fail(self, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
        """The one sentence that it says."""
        done = self.run(*arguments, settings=settings)
        assert (done.returncode, done.stdout) == (1, "")
        found = re.fullmatch(r"\s*atelier: (.+)\n", done.stderr)
        assert found, f"not one sentence: {done.stderr[-1500:]}"
        return found.group(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``vgg.h5``, random weights in Keras's form."""
    folder = tmp_path_factory.mktemp("served")
    weights_files.write_keras(weights_files.random_weights(), folder / "vgg.h5")
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths that were asked of the server."""
    paths: list[str] = []
    monkeypatch.setattr(Handler, "asked", paths, raising=False)
    return paths


@pytest.fixture
def desk(tmp_path: Path, served: Path, asked: list[str]) -> Iterator[Desk]:
    assert asked == []
    data = (served / "vgg.h5").read_bytes()
    handler = functools.partial(Handler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/vgg.h5"
        yield Desk(tmp_path, Remote(url, len(data), hashlib.md5(data).hexdigest()))
        server.shutdown()
        thread.join()


def lines(output: str) -> dict[str, str]:
    """What stands behind each label."""
    return {line[:13].strip(): line[14:] for line in output.splitlines() if line}


# info


def test_info_says_which_features_would_paint_without_a_download_and_asks_no_network(
    desk: Desk, asked: list[str]
) -> None:
    said = lines(desk.succeed("info"))
    assert said["asked for"] == "auto (ATELIER_FEATURES)"
    assert said["would paint"].startswith("bundled, unless the ImageNet features can be downloaded")
    assert said["in the cache"] == "no ImageNet features"
    assert said["bundled"] == f"{BUNDLED} ({BUNDLED.stat().st_size / 1e6:.1f} MB)"
    assert said["name"] == "bundled"
    assert said["known as"] == "what Atelier is shipped with"
    assert said["SHA-256"] == hashlib.sha256(BUNDLED.read_bytes()).hexdigest()
    assert re.fullmatch(r"0\.\d{4} 0\.\d{4} 0\.\d{4} \(RGB\)", said["mean"])
    assert said["block4_conv1"] == "kernel 3 x 3 x 256 x 512, bias 512"
    assert asked == []


def test_info_says_that_what_is_in_the_cache_would_paint(
    desk: Desk, served: Path, asked: list[str]
) -> None:
    desk.cached.parent.mkdir(parents=True)
    desk.cached.write_bytes((served / "vgg.h5").read_bytes())
    said = lines(desk.succeed("info", settings={"ATELIER_FEATURES": "imagenet"}))
    assert said["asked for"] == "imagenet (ATELIER_FEATURES)"
    assert said["would paint"] == "imagenet, it is in the cache"
    assert said["in the cache"].startswith(f"{desk.cached} (")
    assert said["file"] == said["in the cache"]
    assert said["known as"].startswith("Keras's VGG-19")
    assert asked == []


def test_info_on_a_file_says_what_is_in_it(desk: Desk, served: Path) -> None:
    (desk.folder / "mine.h5").write_bytes((served / "vgg.h5").read_bytes() + b" ")
    said = lines(desk.succeed("info", str(desk.folder / "mine.h5")))
    assert said["name"] == "mine"
    assert said["known as"] == "no file that is known here"
    assert said["pooling"] == "max, when it was learned"
    assert said["mean"] == "0.4850 0.4580 0.4076 (RGB)"
    assert "would paint" not in said


# fetch


def test_fetch_downloads_once_and_with_force_again(
    desk: Desk, served: Path, asked: list[str]
) -> None:
    for _ in range(2):
        assert desk.succeed("fetch") == f"The ImageNet features are in {desk.cached}\n"
        assert desk.cached.read_bytes() == (served / "vgg.h5").read_bytes()
    assert asked == ["/vgg.h5"]
    before = desk.cached.stat().st_ino
    assert str(desk.cached) in desk.succeed("fetch", "--force")
    assert asked == ["/vgg.h5", "/vgg.h5"]
    assert desk.cached.stat().st_ino != before
    assert {path.name for path in desk.cached.parent.iterdir()} == {"vgg.h5", "vgg.h5.lock"}


def test_a_forced_download_that_fails_leaves_what_was_there(desk: Desk) -> None:
    desk.succeed("fetch")
    whole = desk.cached.read_bytes()
    desk.remote = Remote(f"{desk.remote.url}/gone/vgg.h5", desk.remote.size, desk.remote.md5)
    assert "127.0.0.1 gave no file: 404" in desk.fail("fetch", "--force")
    assert desk.cached.read_bytes() == whole


def test_fetch_into_a_folder_that_cannot_be_written_says_so(desk: Desk) -> None:
    (desk.folder / "data").touch()
    for options in ([], ["--force"]):
        assert desk.fail("fetch", *options).startswith("the disk refused vgg.h5: ")


def test_fetch_never_loads_what_only_painting_needs(desk: Desk) -> None:
    watched = SCRIPT.replace("main()", "import atexit\natexit.register(print_heavy)\nmain()")
    heavy = "{'tensorflow', 'numpy', 'h5py', 'typer'} & set(sys.modules)"
    done = desk.run("fetch", script=f"def print_heavy(): print(*{heavy})\n{watched}")
    assert done.stdout.splitlines()[-1] == "typer"


# convert


def test_convert_writes_the_same_weights_in_half_the_size(desk: Desk) -> None:
    weights = weights_files.random_weights()
    source, output = desk.folder / "lecture.mat", desk.folder / "half.npz"
    weights_files.write_matconvnet(weights, source)
    said = desk.succeed("convert", str(source), str(output), "--float16")
    assert said == f"The features are in {output}, {output.stat().st_size / 1e6:.1f} MB\n"
    assert output.stat().st_size < 27e6
    kernel = formats.read(output).kernels["block4_conv1"]
    expected = weights.kernels["block4_conv1"].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(kernel, expected, rtol=1e-3, atol=1e-6)


ERRORS = {
    "not in the cache": (["info", "imagenet"], "`atelier features fetch` brings them"),
    "no such file": (["info", "x.npz"], "No such file or directory. Received: x.npz"),
    "no features": (["convert", "README.md", "{}/x.npz"], "Received: README.md"),
    "another form": (["convert", "bundled", "{}/x.h5"], "must end with .npz. Received: 'x.h5'"),
    "no such folder": (["convert", "bundled", "{}/no/x.npz"], "cannot be written"),
}


@pytest.mark.parametrize(("arguments", "said"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_sentence(desk: Desk, arguments: list[str], said: str) -> None:
    sentence = desk.fail(*(argument.format(desk.folder) for argument in arguments))
    assert said in sentence
    assert list(desk.folder.glob("x.*")) == []
