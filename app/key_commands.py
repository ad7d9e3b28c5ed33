"""``atelier keys``: keys for those who may use the API."""

import sys
from typing import Annotated

import typer

from app import keys

app = typer.Typer(help="Make keys for those who may use the API.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps ``new`` a command of its own while it is the only one."""


@app.command()
def new(
    owner: Annotated[str, typer.Argument(help="Whose jobs the key opens, such as `anna`.")],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="And those of all others.")] = False,
) -> None:
    """Make a key. It is shown once and kept nowhere; what is configured is its hash.

    Example: atelier keys new anna
    """
    key, grant = keys.new(owner, admin=admin)
    sys.stdout.write(
        f"Key, for {owner} alone to keep; it is not shown again:\n\n    {key}\n\n"
        f"Entry for ATELIER_API_KEYS, or a line of ATELIER_API_KEYS_FILE:\n\n    {grant.entry}\n"
    )
