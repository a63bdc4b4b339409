"""Survival curves: the share of runs that have found nothing yet, by attempted transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from txfuzz.errors import OutputError
from txfuzz.report.pictures.style import EDGE_COLOURS, MISSING

# Both distinguishable in grey: the colour and the dashes of each curve
_COLOURS = (*EDGE_COLOURS.values(), MISSING)
_DASHES = ("-", "--", "-.", ":")


def draw_survival(title: str, efforts: Mapping[str, Sequence[int | None]], most: int, path: Path) -> None:
    """Draw a curve per strategy, in the format of the path's suffix.

    efforts: name → transactions until the first finding, None for runs that were given up after `most`.
    Raises OutputError if the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, values) in enumerate(efforts.items()):
        found = sorted(each for each in values if each is not None)
        left = [(len(values) - number_found) / len(values) for number_found in range(len(found) + 1)]
        axes.step(
            [1, *found, most],
            [*left, left[-1]],
            where="post",
            label=f"{name} ({len(found)} of {len(values)})",
            color=_COLOURS[number % len(_COLOURS)],
            linestyle=_DASHES[number // len(_COLOURS) % len(_DASHES)],
        )
    axes.set_xscale("log")
    axes.set_xlim(1, most)
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(title)
    axes.set_xlabel("attempted transactions")
    axes.set_ylabel("runs without a finding")
    axes.legend(loc="lower left", frameon=False)
    try:
        figure.savefig(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
