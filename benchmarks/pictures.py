"""How much of a style arrives, and how much of the content stays?

    python -m benchmarks.pictures

Paints 6 contents in 6 styles, at each quality level, with each features file, and with PyTorch's
neural-style where it is given, and judges the paintings with `benchmarks.judge`, which knows no
network. Writes table.md, rows.csv, frontier.png and a contact sheet for each painter.

The paintings are kept: begun again, it goes on where it stopped, and what nothing has changed for
is not painted anew.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

from benchmarks import report, sheets, subjects  # noqa: E402
from benchmarks.easel import Easel, Work  # noqa: E402
from benchmarks.judge import StyleJudge, content_correlation  # noqa: E402
from benchmarks.painters import Atelier, Painter, sitting  # noqa: E402
from benchmarks.peers import NeuralStyle  # noqa: E402
from benchmarks.report import Row  # noqa: E402
from benchmarks.subjects import Pair, Subject  # noqa: E402
from model import weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.recipes import QUALITIES  # noqa: E402
from worker.settings import load_settings  # noqa: E402

#: Of neural-style, where they differ from its defaults; README.md says why.
OPTIONS = (
    "-tv_weight 1e-5",
    "-tv_weight 1e-5 -init image -pooling avg -style_weight 1e6",
)


def main() -> None:
    """Paints, judges and writes."""
    asked = _asked()
    asked.output.mkdir(parents=True, exist_ok=True)
    exhibition = Exhibition(
        subjects.contents(asked.contents),
        subjects.styles(asked.styles),
        asked.pairs,
        asked.size,
        asked.output,
    )
    for painter in _painters(asked):
        exhibition.show(painter)
    print(report.table(exhibition.rows))


class Exhibition:
    """The grid of pictures, and what has been judged so far."""

    def __init__(
        self,
        contents: Sequence[Subject],
        styles: Sequence[Subject],
        pairs: int | None,
        size: int,
        output: Path,
    ) -> None:
        self.rows: list[Row] = []
        self._contents = contents
        self._styles = styles
        self._pairs = subjects.pairs(contents, styles, pairs)
        self._size = size
        self._output = output
        seen = {pair.style.name: sitting(pair, size).styles[0] for pair in self._pairs}
        self._jury = {name: StyleJudge(style) for name, style in seen.items()}

    def show(self, painter: Painter) -> None:
        """Has all pairs painted by a painter, judges them, and writes everything anew.

        Raises:
            ValueError: another painter of this name was here.
        """
        if any(row.painter == painter.name for row in self.rows):
            raise ValueError(f"painters need names of their own. Received twice: {painter.name}")
        paintings = {}
        for number, pair in enumerate(self._pairs, 1):
            work = painter.paint(pair)
            paintings[pair.content.name, pair.style.name] = work.rgb
            row = self._judge(painter, pair, work)
            self.rows.append(row)
            print(f"{number}/{len(self._pairs)} {row}", flush=True)
        sheet = sheets.contact_sheet(self._contents, self._styles, paintings, painter.name)
        name = re.sub(r"[^\w.]+", "-", painter.name)
        sheet.save(self._output / f"sheet-{name}.jpg", quality=85, optimize=True)
        (self._output / "table.md").write_text(report.table(self.rows), encoding="utf-8")
        report.write_csv(self.rows, self._output / "rows.csv")
        sheets.frontier(self.rows, self._output / "frontier.png")

    def _judge(self, painter: Painter, pair: Pair, work: Work) -> Row:
        names = painter.name, pair.content.name, pair.style.name
        content = sitting(pair, self._size).content
        verdict = self._jury[pair.style.name].verdict(work.rgb, content)
        correlation = content_correlation(work.rgb, content)
        return Row(*names, verdict, correlation, work.seconds, work.steps)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--contents", type=Path, help="folder of content pictures, instead of six photographs")
    add("--styles", type=Path, help="folder of style pictures, instead of six of app/presets")
    add("--output", type=Path, default=Path("build/pictures"), help="folder of all that is written")
    add("--features", nargs="+", default=["bundled"], help="names or files of features")
    add("--size", type=int, default=256, help="long side of the paintings in pixels")
    add("--only", type=_levels, default=list(QUALITIES), help="such as draft,standard")
    add("--pairs", type=int, help="so many pairs, spread over the grid, instead of all")
    add("--device", default="cpu", help="cpu or gpu:N")
    add("--neural-style", type=Path, metavar="PYTHON", help="interpreter that has neural-style")
    add("--neural-style-options", nargs="+", default=OPTIONS, metavar="'OPTIONS'", help="its own")
    add("--neural-style-iterations", type=int, help="so many, instead of as long as `standard`")
    return parser.parse_args()


def _levels(text: str) -> list[str]:
    levels = text.split(",")
    if unknown := set(levels) - set(QUALITIES):
        known = ", ".join(QUALITIES)
        raise argparse.ArgumentTypeError(f"levels are {known}. Received: {', '.join(unknown)}")
    return levels


def _painters(asked: argparse.Namespace) -> Iterator[Painter]:
    """Everyone who is to paint, one after the other."""
    (device,) = open_devices(asked.device)
    kept = Easel(asked.output / "paintings")
    for source in asked.features:
        features = weights.load(source, load_settings().folder / "features")
        studio = Studio(features, device=device)
        for quality in asked.only:
            yield Atelier(studio, quality, asked.size, kept)
        if asked.neural_style is not None:
            span = asked.neural_style_iterations or Atelier(studio, "standard", asked.size, kept)
            for options in asked.neural_style_options:
                split = tuple(options.split())
                python = asked.neural_style
                yield NeuralStyle(python, split, features, device, asked.size, kept, span)


if __name__ == "__main__":
    main()
