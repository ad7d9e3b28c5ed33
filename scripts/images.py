"""Builds both images and has them paint a small picture: ``python -m scripts.images``.

    python -m scripts.images --base IMAGE          on another image than python:3.11-slim
    python -m scripts.images -- --network host     what is after -- goes to the builds

The containers run as docker-compose.yml has them: not as root, on a file system that is read only,
without capabilities. They share a network with nobody but themselves, so no port is taken and
nothing can be downloaded. The images stay, under the names that compose gives them; all else goes,
also when something fails.

It needs Linux, Podman or Docker, the environment that ``make test`` sets up (the Valkey is its),
some 8 GB of disk, and a package index: for one behind certificates of its own, hand the builds the
files (Podman: ``--volume /etc/ssl/certs:/etc/ssl/certs:ro``) or a base image that has them.
"""

import argparse
import contextlib
import io
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from PIL import Image

from app.embedded import binary

ROOT = Path(__file__).parents[1]
TARGETS = ("api", "worker")

#: What the API's image may have, in bytes; TensorFlow alone is four times that.
API_BYTES = 250_000_000

#: As in docker-compose.yml, which a test compares.
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true")
TMPFS = {"api": "/tmp:size=1g", "worker": "/tmp:size=256m"}  # noqa: S108 - the containers' own

SETTINGS = {
    "ATELIER_REDIS_URL": "redis://127.0.0.1:6379/0",
    "ATELIER_REDIS_PASSWORD_FILE": "/run/atelier/redis-password",
    "ATELIER_PUBLISHED_HOST": "127.0.0.1",
    "ATELIER_FEATURES": "bundled",
}
PHOTOGRAPH, STYLE = "/app/app/page/samples/pavilion.jpg", "/app/app/presets/starlight.jpg"
SIDE = 64

_BUILD_SECONDS = 1800.0
_START_SECONDS = 300.0  # TensorFlow, from a disk that has not read it yet
_STOP_SECONDS = 15
_SECONDS = 120.0


class Engine:
    """Podman's or Docker's command line: for what is needed here they are the same."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __call__(self, *arguments: str, within: float = _SECONDS) -> bytes:
        """Runs one command to its end; returns what it has written.

        Raises:
            subprocess.CalledProcessError: it has failed, and said why.
            subprocess.TimeoutExpired: it took longer than ``within`` seconds.
        """
        # OCI's own format has no HEALTHCHECK; Docker does not know the variable.
        environment = {**os.environ, "BUILDAH_FORMAT": "docker"}
        command = [self._program, *arguments]
        return subprocess.run(  # noqa: S603 - our own command lines
            command, check=True, timeout=within, stdout=subprocess.PIPE, cwd=ROOT, env=environment
        ).stdout

    def says(self, *arguments: str) -> str:
        """The one line that a command writes."""
        return self(*arguments).decode().strip()


class Containers:
    """Valkey, API and worker beside each other, from beginning to end."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._prefix = f"atelier-check-{os.getpid()}"
        self._names: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._start("redis", "api", "--network=none", command="/run/atelier/valkey.conf")
            for part in TARGETS:
                variables = [f"--env={name}={value}" for name, value in SETTINGS.items()]
                beside = f"--network=container:{self._prefix}-redis"
                self._start(part, part, beside, f"--tmpfs={TMPFS[part]}", *variables)
            for part in TARGETS:
                self._wait_for(part)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, failure: object, *_rest: object) -> None:
        for name in reversed(self._names):
            with contextlib.suppress(subprocess.CalledProcessError):  # it never came to be
                if failure:
                    print(name, self._engine("logs", "--tail=20", name).decode(), sep="\n")
                self._engine("rm", "--force", "--volumes", name)

    def run(self, part: str, *command: str) -> bytes:
        """Runs a command in a container."""
        return self._engine("exec", f"{self._prefix}-{part}", *command)

    def stop(self, part: str) -> int:
        """Asks a container to end, as compose does; returns its exit code."""
        name = f"{self._prefix}-{part}"
        self._engine("stop", "-t", str(_STOP_SECONDS), name)
        return int(self._engine.says("inspect", "--format={{.State.ExitCode}}", name))

    def _start(self, part: str, image: str, *options: str, command: str | None = None) -> None:
        name = f"{self._prefix}-{part}"
        self._names.append(name)
        mounts = [f"--volume={self._folder}:/run/atelier:ro,z", "--volume=/data"]
        server = ["--entrypoint=/run/atelier/valkey-server"] if command else []
        arguments = [f"--name={name}", *HARDENED, *mounts, *options, *server, f"atelier-{image}"]
        self._engine("run", "--detach", *arguments, *([command] if command else []))

    def _wait_for(self, part: str) -> None:
        """Until the image's own health check passes."""
        said = self._engine.says(
            "inspect", "--format={{json .Config.Healthcheck.Test}}", f"{self._prefix}-{part}"
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.run(part, *json.loads(said)[1:])
            except subprocess.SubprocessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return


def build(engine: Engine, base: str, options: list[str]) -> None:
    """Builds both, and says how large they are.

    Raises:
        ValueError: the API's is larger than it may be.
    """
    sizes = {}
    for target in TARGETS:
        image = f"atelier-{target}"
        arguments = [f"--build-arg=BASE_IMAGE={base}", *options, f"--target={target}"]
        engine("build", *arguments, f"--tag={image}", ".", within=_BUILD_SECONDS)
        sizes[target] = int(engine.says("image", "inspect", "--format={{.Size}}", image))
        print(f"{image}: {sizes[target] / 1e6:.0f} MB")
    if sizes["api"] > API_BYTES:
        raise ValueError(f"atelier-api may have {API_BYTES / 1e6:.0f} MB.")


def furnish(folder: Path) -> None:
    """Puts there what compose's `redis` has: a server, and a password that nobody knows."""
    password = secrets.token_hex()
    (folder / "redis-password").write_text(password)
    (folder / "valkey.conf").write_text(f"bind 127.0.0.1\ndir /data\nrequirepass {password}\n")
    shutil.copy(binary(), folder / "valkey-server")
    folder.chmod(0o755)  # the user of the containers is nobody here


def check(containers: Containers) -> None:
    """One job's way through the containers, and their end."""
    for part in TARGETS:
        containers.run(part, "python", "-c", _IS_HARDENED)
    server, painting = "http://127.0.0.1:8000", "/tmp/painting.png"  # noqa: S108 - in a container
    how = [f"--size={SIDE}", "--quality=draft", f"--server={server}", f"--output={painting}"]
    containers.run("api", "atelier", "stylize", PHOTOGRAPH, STYLE, *how)
    with Image.open(io.BytesIO(containers.run("api", "cat", painting))) as picture:
        assert max(picture.size) == SIDE, picture.size
        assert len(picture.getcolors(SIDE * SIDE) or ()) > SIDE, "hardly any colours"
    codes = {part: containers.stop(part) for part in reversed(TARGETS)}
    assert not any(codes.values()), f"left with {codes}"
    print("The images paint.")


_IS_HARDENED = """
import os
assert os.getuid() == 10001, os.getuid()
assert os.statvfs("/").f_flag & os.ST_RDONLY, "the file system can be written"
"""


def main() -> int:
    """Builds and checks; 0 if all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.images",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", default="podman" if shutil.which("podman") else "docker")
    parser.add_argument("--base", default="python:3.11-slim", help="an image with Python and pip")
    parser.add_argument("options", nargs="*", metavar="-- OPTION", help="of the builds")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    engine = Engine(asked.engine)
    build(engine, asked.base, asked.options)
    with tempfile.TemporaryDirectory(prefix="atelier-images-") as folder:
        furnish(Path(folder))
        with Containers(engine, Path(folder)) as containers:
            check(containers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
