"""What the judge found, as a table for people and as rows for programs."""

import csv
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.judge import Verdict

_COLUMNS = (
    *("painter", "content", "style", "removed_percent", "distance", "start", "floor"),
    *("correlation", "seconds", "steps"),
)


@dataclass(frozen=True)
class Row:
    """One painting, judged.

    Attributes:
        painter: who painted it.
        content: name of the content picture.
        style: name of the style picture.
        verdict: its style distances.
        correlation: of its edges with the content picture's.
        seconds: that painting it took.
        steps: of the optimisation.
    """

    painter: str
    content: str
    style: str
    verdict: Verdict
    correlation: float
    seconds: float
    steps: int

    def __str__(self) -> str:
        return (
            f"{self.painter}: {self.content} in {self.style}: {self.verdict.removed:.1f} % of the"
            f" style distance removed, correlation {self.correlation:.3f}, {self.seconds:.1f} s"
        )


def by_painter(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each painter, in the order in which they first appear."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.painter, []).append(row)
    return found


def table(rows: Sequence[Row]) -> str:
    """A Markdown table with a line for each painter: means, worst ones, median time and steps."""
    lines = [
        "| Painter | Pairs | Style removed | worst | Correlation | worst | Seconds | Steps |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for painter, theirs in by_painter(rows).items():
        removed = [row.verdict.removed for row in theirs]
        correlation = [row.correlation for row in theirs]
        lines.append(
            f"| {painter} | {len(theirs)} | {statistics.mean(removed):.1f} % | {min(removed):.1f} %"
            f" | {statistics.mean(correlation):.3f} | {min(correlation):.3f}"
            f" | {statistics.median(row.seconds for row in theirs):.1f}"
            f" | {statistics.median(row.steps for row in theirs):.0f} |"
        )
    return "\n".join(lines) + "\n"


def write_csv(rows: Iterable[Row], file: Path) -> None:
    """Writes all rows, each verdict as the percentage and its three distances."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(_COLUMNS)
        for row in rows:
            names = (row.painter, row.content, row.style)
            verdict = row.verdict
            distances = (verdict.removed, verdict.distance, verdict.start, verdict.floor)
            numbers = (*distances, row.correlation, row.seconds)
            writer.writerow([*names, *(round(number, 4) for number in numbers), row.steps])
