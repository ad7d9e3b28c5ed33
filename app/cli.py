"""The ``atelier`` command."""

import logging
import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app import features, key_commands
from app.options import params_of, with_params
from model.errors import AtelierError
from model.loading import load_tensorflow
from worker.logs import set_up_logging
from worker.settings import Settings, load_settings

app = typer.Typer(
    help="Paints photographs in the style of other pictures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Styles = Annotated[
    list[Path],
    typer.Argument(
        help="One to eight pictures to take the style from, or names of styles that come "
        "with Atelier."
    ),
]
Server = Annotated[
    str | None, typer.Option(help="Let the Atelier at this URL paint, not this machine.")
]

app.add_typer(features.app, name="features")
app.add_typer(key_commands.app, name="keys")


def main() -> None:
    """Runs the command; an error on purpose is one sentence and exit code 1."""
    try:
        app()
    except AtelierError as error:
        sys.stderr.write(f"atelier: {error}\n")
        sys.exit(1)


def _settings(**changes: Any) -> Settings:
    settings = load_settings().model_copy(
        update={k: v for k, v in changes.items() if v is not None}
    )
    set_up_logging(settings.log_level, settings.log_format)
    return settings


@app.command()
def up() -> None:
    """Start everything: Redis (embedded, unless ATELIER_REDIS_URL is set), API, page and worker."""
    from app.supervisor import Supervisor  # noqa: PLC0415

    Supervisor(_settings()).run()


@app.command()
def api(fd: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Start the API and the page, on the Redis of ATELIER_REDIS_URL."""
    from app.server import listen, serve  # noqa: PLC0415

    settings = _settings()
    listener = listen(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    serve(settings, listener)


@app.command()
def worker(
    devices: Annotated[
        str | None, typer.Option(help="`auto`, `cpu`, or a list such as `gpu:0,gpu:1`.")
    ] = None,
) -> None:
    """Start a worker, on the Redis of ATELIER_REDIS_URL."""
    settings = _settings(devices=devices)
    load_tensorflow()
    from worker.__main__ import main as work  # noqa: PLC0415

    code = work(settings)
    logging.shutdown()
    os._exit(code)  # a thread stuck in native code must not hold the process


@app.command()
@with_params
def stylize(
    content: Annotated[Path, typer.Argument(help="The photograph.", show_default=False)],
    style: Styles,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the painting goes; .png, .jpg, ...")
    ],
    server: Server = None,
    content_mask: Annotated[
        Path | None, typer.Option(help="Regions of CONTENT, each in a plain colour of its own.")
    ] = None,
    style_mask: Annotated[
        list[Path] | None,
        typer.Option(help="Regions of a STYLE in the same colours; one mask for each, in order."),
    ] = None,
    logdir: Annotated[
        Path | None, typer.Option(help="Write losses by layer and pictures for TensorBoard here.")
    ] = None,
    **asked: Any,
) -> None:
    """Paint CONTENT in the style of STYLE.

    All weights are relative: 1 is the usual balance, 2 is twice as much. The same pictures,
    options and seed give the same painting. With masks, each region of CONTENT takes its style
    from the region of the same colour in STYLE.

    Example: atelier stylize town.jpg starry_night.jpg -o painted.png --size 768

    Styles that come with Atelier: atelier stylize town.jpg woodcut -o painted.png
    """
    from app import stylize as how  # noqa: PLC0415

    params = how.params_of(asked, output)
    how.check_writable(output)
    if logdir is not None:
        how.check_logdir(logdir, server)
    pictures = how.read_all(content, style, content_mask, style_mask or ())
    if server is None:
        painted = how.paint_here(pictures, params, _settings(), logdir)
    else:
        key = _settings().api_key
        api_key = None if key is None else key.get_secret_value()
        painted = how.paint_there(pictures, params, server, api_key)
    how.write(output, painted)


@app.command()
@with_params
def batch(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A folder of photographs, a .zip or a .tfrecord.",
            show_default=False,
        ),
    ],
    style: Styles,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the paintings go: of the form of INPUT.")
    ],
    server: Server = None,
    **asked: Any,
) -> None:
    """Paint all photographs of INPUT in the style of STYLE.

    The result has the form of INPUT, its order and its names. Broken off, the same command goes on
    where it stopped. A photograph that cannot be painted is named at the end and left out. Of the
    records of a .tfrecord `image/encoded` is painted, and all else is carried through.

    Example: atelier batch photographs woodcut -o woodcuts --size 512 --quality draft
    """
    from app.batch.command import paint_batch  # noqa: PLC0415

    paint_batch(source, style, output, params=params_of(asked), settings=_settings(), server=server)


if __name__ == "__main__":
    main()
