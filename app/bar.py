"""The progress bar of the commands that paint."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

#: Is told how much is done, in [0, 1], and what is being done.
Report = Callable[[float, str], None]


@contextlib.contextmanager
def bar(first: str) -> Iterator[Report]:
    """A bar on stderr that is gone at the end; ``first`` is what is being done at first."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(first, total=1.0)

        def report(fraction: float, what: str) -> None:
            progress.update(task, completed=fraction, description=what)

        yield report
