"""``atelier stylize``: one painting, on this machine or on a server, with a progress bar."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from app import options
from app.bar import Report, bar
from app.client import Atelier, Done, Progressed, ServerError, StatusChanged
from app.endings import FORMATS
from app.presets import PRESETS
from model.errors import InputError, ParameterError
from model.loading import load_tensorflow
from model.params import StyleTransferParams
from worker.pictures import Pictures
from worker.records import Job
from worker.settings import Settings


def params_of(asked: Mapping[str, Any], output: Path) -> StyleTransferParams:
    """The parameters of a command line, with the format that the output's ending says.

    Raises:
        ParameterError: one is out of its range, or the output's ending says no format.
    """
    if asked.get("format") is not None:
        return options.params_of(asked)
    ending = output.suffix.lower()
    if ending not in FORMATS:
        raise ParameterError(
            f"The output's ending says no format; known are {', '.join(FORMATS)}. "
            f"Received: {output.name!r}."
        )
    return options.params_of({**asked, "format": FORMATS[ending]})


def read(path: Path) -> bytes:
    """A picture file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def read_style(style: Path) -> bytes:
    """A style picture's file, or one of ours by its name.

    Raises:
        InputError: it cannot be read.
    """
    preset = PRESETS.get(str(style))
    return read(style) if preset is None or style.exists() else preset.picture


def check_writable(path: Path) -> None:
    """Makes sure, before anything is painted, that there is a place for the painting.

    Raises:
        InputError: there is none.
    """
    target = path if path.exists() else path.absolute().parent
    if path.is_dir() or not os.access(target, os.W_OK):
        raise InputError(f"{path} cannot be written.")


def write(path: Path, data: bytes) -> None:
    """The painting's file.

    Raises:
        InputError: it cannot be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None
    Console(stderr=True).print(f"The painting is in {path}")


def read_all(
    content: Path, styles: Sequence[Path], content_mask: Path | None, style_masks: Sequence[Path]
) -> Pictures:
    """The files of a command line.

    Raises:
        InputError: one cannot be read.
    """
    return Pictures(
        content=read(content),
        styles=[read_style(style) for style in styles],
        content_mask=None if content_mask is None else read(content_mask),
        style_masks=[read(mask) for mask in style_masks],
    )


def check_logdir(logdir: Path, server: str | None) -> None:
    """Makes sure that there is a folder for summaries, and something to write into it.

    Raises:
        InputError: it cannot be written.
        ParameterError: the painting is to be made elsewhere.
    """
    if server is not None:
        raise ParameterError(
            "--logdir and --server do not go together: the losses of each layer stay with the "
            "server, which gives the sums at /v1/jobs/ID/losses."
        )
    try:
        logdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{logdir} cannot be written: {error.strerror}.") from None
    if not os.access(logdir, os.W_OK):
        raise InputError(f"{logdir} cannot be written.")


def paint_here(
    pictures: Pictures, params: StyleTransferParams, settings: Settings, logdir: Path | None
) -> bytes:
    """Paints on this machine; summaries for TensorBoard go into ``logdir``, if there is one."""
    pictures.check(settings.picture_limits)  # before loading what takes seconds to load
    load_tensorflow()
    with bar("loading the features") as report:
        from worker.alone import Soloist  # noqa: PLC0415 - loads TensorFlow

        return Soloist(settings).paint(pictures, params, report, logdir=logdir)


def paint_there(
    pictures: Pictures, params: StyleTransferParams, server: str, api_key: str | None
) -> bytes:
    """Lets a server paint, with an API key if it asks for one; Ctrl-C cancels the job there.

    Raises:
        ServerError: the job was refused, failed, or the server cannot be reached.
    """
    with Atelier(server, api_key=api_key) as atelier, bar("handing in") as report:
        job_id = atelier.submit(
            pictures.content,
            pictures.styles,
            params,
            content_mask=pictures.content_mask,
            style_masks=pictures.style_masks,
        ).id
        try:
            job = _followed(atelier, job_id, report)
        except KeyboardInterrupt:
            atelier.cancel(job_id)
            raise
        if job.status != "succeeded":
            raise ServerError(job.error.detail if job.error else f"The job was {job.status}.")
        return atelier.result(job_id)


def _followed(atelier: Atelier, job_id: str, report: Report) -> Job:
    """The job when it has ended; the bar tells of it meanwhile."""
    fraction, doing = 0.0, "handing in"
    for event in atelier.stream(job_id):
        match event:
            case StatusChanged(status="queued", queue_position=int(place)):
                doing = f"waiting, number {place}"
            case StatusChanged():
                doing = event.status
            case Progressed():
                fraction = event.progress.fraction
            case Done():
                return event.job
        report(fraction, doing)
    raise AssertionError("A stream ends with the job.")
