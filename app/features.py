"""``atelier features``: which weights paint, where they come from, and other forms of them."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from model import imagenet
from model.download import OnProgress
from model.errors import InputError, ParameterError
from model.imagenet import KERAS_VGG19
from model.loading import load_tensorflow
from model.part import Expected, disk_errors
from worker.settings import load_settings

if TYPE_CHECKING:
    from model.vgg import Features
    from model.weights import Choice

app = typer.Typer(help="Show, download and convert the VGG-19 weights.", no_args_is_help=True)

#: What the commands take; `imagenet` and `auto` mean what is in the cache.
SOURCES = "`auto`, `imagenet`, `bundled`, or a .npz, .h5, .mat, .safetensors or .pth file."


@app.command()
def info(
    source: Annotated[
        str | None, typer.Argument(help=f"{SOURCES} Without it: what would paint now.")
    ] = None,
) -> None:
    """Say what SOURCE is, or which features would paint now and why. Nothing is downloaded.

    Example: atelier features info imagenet-vgg-verydeep-19.mat
    """
    asked = source or load_settings().features
    choice, features = _read(asked)
    lines = [*([] if source else _overview(asked, choice)), *_details(choice, features)]
    sys.stdout.write("\n".join(lines) + "\n")


@app.command()
def fetch(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Download it anew, although it is in the cache.")
    ] = False,
) -> None:
    """Download the ImageNet features into the cache, where `auto` and `imagenet` find them."""
    with _bar(f"downloading {KERAS_VGG19.name}") as on_progress:
        path = _fetch_anew(on_progress) if force else _fetch(_cache(), on_progress)
    sys.stdout.write(f"The ImageNet features are in {path}\n")


@app.command()
def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help=SOURCES)],
    output: Annotated[Path, typer.Argument(metavar="OUT.npz", help="A file in our own format.")],
    *,
    float16: Annotated[
        bool, typer.Option("--float16", help="Half the size; paintings differ by a hair.")
    ] = False,
) -> None:
    """Write any features as a small .npz, which loads faster and needs no other library.

    Example: atelier features convert imagenet-vgg-verydeep-19.mat lecture.npz --float16
    """
    from app.stylize import check_writable  # noqa: PLC0415

    if output.suffix.lower() != ".npz":
        raise ParameterError(f"The output must end with .npz. Received: {output.name!r}.")
    check_writable(output)
    _choice, features = _read(source)
    from model import formats  # noqa: PLC0415 - loads TensorFlow

    try:
        formats.save(features, output, dtype="float16" if float16 else "float32")
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from None
    sys.stdout.write(f"The features are in {output}, {_megabytes(output)}\n")


def _cache() -> Path:
    return load_settings().folder / "features"


def _read(source: str) -> "tuple[Choice, Features]":
    with Console(stderr=True).status("loading TensorFlow and the features"):
        load_tensorflow()
        from model import weights  # noqa: PLC0415 - loads TensorFlow

        choice = weights.choose(source, _cache(), remote=KERAS_VGG19)
        return choice, choice.read()


def _overview(asked: str, choice: "Choice") -> Iterator[str]:
    """What is at hand, whatever it is that would paint."""
    from model.weights import BUNDLED  # noqa: PLC0415 - loads TensorFlow

    cached = _cache() / KERAS_VGG19.name
    here = Expected(size=KERAS_VGG19.size, md5=KERAS_VGG19.md5).met_by(cached)
    yield _line("asked for", f"{asked} (ATELIER_FEATURES)")
    yield _line("would paint", f"{choice.name or choice.path.stem}, {choice.reason}")
    yield _line("in the cache", _place(cached) if here else "no ImageNet features")
    yield _line("bundled", _place(BUNDLED) if BUNDLED.is_file() else "none")
    yield ""


def _details(choice: "Choice", features: "Features") -> Iterator[str]:
    from model.known import recognise  # noqa: PLC0415

    yield _line("name", features.name)
    yield _line("file", _place(choice.path))
    what = "what Atelier is shipped with" if choice.sha256 else recognise(choice.path)
    yield _line("known as", what or "no file that is known here")
    yield _line("SHA-256", features.sha256)
    yield _line("mean", " ".join(f"{channel:.4f}" for channel in features.mean) + " (RGB)")
    yield _line("pooling", f"{features.pooling}, when it was learned")
    yield ""
    for layer, kernel in features.kernels.items():
        shape = " x ".join(map(str, kernel.shape))
        yield _line(layer, f"kernel {shape}, bias {features.biases[layer].size}")


def _line(label: str, value: str) -> str:
    return f"{label:<13} {value}"


def _place(path: Path) -> str:
    return f"{path} ({_megabytes(path)})"


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _fetch(folder: Path, on_progress: OnProgress) -> Path:
    return imagenet.fetch(folder, KERAS_VGG19, on_progress=on_progress)


def _fetch_anew(on_progress: OnProgress) -> Path:
    """The file that is there stays until the new one is whole."""
    target = _cache() / KERAS_VGG19.name
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent) as folder:
            return _fetch(Path(folder), on_progress).replace(target)


@contextlib.contextmanager
def _bar(what: str) -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda here, total: progress.update(task, completed=here, total=total)
