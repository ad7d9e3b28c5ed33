"""A batch from its first picture to the result."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console

from app.bar import bar
from app.batch.collections import Collection, kind_of, opened
from app.batch.painters import Here, Painter, Task, There
from app.batch.workplace import Workplace
from app.client import Atelier
from app.endings import ending_of
from app.stylize import read_style
from model.door import inspect
from model.errors import AtelierError, InputError, ParameterError
from model.loading import load_tensorflow
from model.params import StyleTransferParams
from worker.digests import digest_of, fingerprint_of
from worker.settings import Settings

#: Pictures that could not be painted are named up to so many.
_NAMED = 20


class BatchIncomplete(AtelierError):  # noqa: N818 - reads better where it is raised
    """Some pictures could not be painted; the others are."""

    slug = "batch-incomplete"
    title = "Some pictures could not be painted"


def paint_batch(
    source: Path,
    styles: Sequence[Path],
    output: Path,
    *,
    params: StyleTransferParams,
    settings: Settings,
    server: str | None,
) -> None:
    """Paints all pictures of a collection that are not painted yet, and makes the result.

    Args:
        source: a folder, a ``.zip`` or a ``.tfrecord``.
        styles: pictures, or names of styles that come with Atelier.
        output: of the same kind.
        params: of all paintings.
        settings: features, device, limits, API key.
        server: who paints; None for this machine.

    Raises:
        BatchIncomplete: some pictures could not be painted.
        InputError: the source, a style or the output is at fault.
        ServerError: the server cannot be reached, or refused.
    """
    _check_kinds(source, output)
    task = _task(styles, params, settings)
    if server is None:
        load_tensorflow()
    limits = settings.picture_limits
    collection = opened(source, ending_of(params.format), limits.max_bytes)
    workplace = Workplace(collection.workplace(output), task.fingerprint)
    with _painter(task, settings, server) as painter:
        faults = _paint_missing(collection, workplace, painter)
    _assemble(collection, workplace, output, complete=not faults)
    if faults:
        raise BatchIncomplete(_told(faults, len(collection)))
    Console(stderr=True).print(f"The paintings are in {output}")


def _check_kinds(source: Path, output: Path) -> None:
    if kind_of(source) != kind_of(output):
        raise ParameterError(
            f"The result has the form of what it is made from, a {kind_of(source)}. "
            f"Received: {output.name!r}."
        )
    if output.resolve() == source.resolve():
        raise ParameterError("The output is the input: name another place for the result.")


def _task(styles: Sequence[Path], params: StyleTransferParams, settings: Settings) -> Task:
    files = [read_style(style) for style in styles]
    params.shares(len(files))
    for path, file in zip(styles, files, strict=True):
        try:
            inspect(file, settings.picture_limits)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    asked = {
        "styles": [digest_of(file) for file in files],
        "params": params.model_dump(mode="json"),
    }
    return Task(files, params, fingerprint_of(asked))


@contextmanager
def _painter(task: Task, settings: Settings, server: str | None) -> Iterator[Painter]:
    if server is None:
        yield Here(task, settings)
        return
    key = settings.api_key
    with Atelier(server, api_key=None if key is None else key.get_secret_value()) as atelier:
        yield There(task, atelier)


def _paint_missing(
    collection: Collection, workplace: Workplace, painter: Painter
) -> dict[str, AtelierError]:
    """Paints what is not there yet; gives what could not be painted, and why."""
    faults: dict[str, AtelierError] = {}
    total = len(collection)
    done = sum(item.key in workplace for item in collection)
    missing = (item for item in collection if item.key not in workplace)
    with bar(f"{done} of {total}") as show:

        def report(fraction: float, what: str) -> None:
            show((done + fraction) / total, f"{done} of {total}, {what}")

        with closing(painter.paint(missing, report)) as outcomes:
            for item, outcome in outcomes:
                if isinstance(outcome, AtelierError):
                    faults[item.name] = outcome
                else:
                    workplace.put(item.key, outcome)
                done += 1
                report(0.0, "painting")
    return faults


def _assemble(
    collection: Collection, workplace: Workplace, output: Path, *, complete: bool
) -> None:
    """Makes the result; what it was made from is kept while something is missing."""
    beside = output.with_name(f".{output.name}.new")
    collection.assemble(workplace.folder, beside)
    if beside.exists():
        os.replace(beside, output)  # noqa: PTH105 - whole, or not at all
    if complete and workplace.folder != output:
        workplace.remove()


def _told(faults: dict[str, AtelierError], total: int) -> str:
    named = [f"{name}: {error}" for name, error in list(faults.items())[:_NAMED]]
    rest = len(faults) - len(named)
    if rest:
        named.append(f"and {rest} more.")
    return (
        f"{len(faults)} of {total} pictures could not be painted. The same command tries them "
        "again.\n  " + "\n  ".join(named)
    )
