"""The status screen in the docs, from a live campaign.

    python docs/makers/screen_picture.py --write docs/pictures

Writes status.svg and status-large.svg: the screen in terminals of 80×24 and 120×40, as soon as the history of
the last but one iteration is analysed.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from txfuzz import run_campaign
from txfuzz.campaign.events import CampaignEnded, Event, HistoryAnalysed
from txfuzz.cli.progress.campaign import LiveScreen
from txfuzz.cli.progress.panel import panel
from txfuzz.cli.progress.screen import Screen
from txfuzz.report.text.status import beginning

ITERATIONS = 12
SIZES = {"status": (80, 24), "status-large": (120, 40)}


class Unseen(Screen):
    """A screen that is drawn but not shown."""

    def open(self) -> None:
        self.standing = True


class Photographed(LiveScreen):
    def __init__(self) -> None:
        self.unseen = Unseen(beginning)
        self.unseen.open()
        super().__init__(ITERATIONS, self.unseen)
        self.pictures: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, CampaignEnded):
            return
        super().__call__(event)
        if isinstance(event, HistoryAnalysed) and event.number == ITERATIONS - 2:
            for name, (columns, lines) in SIZES.items():
                self.pictures[name] = self.picture(columns, lines)

    def picture(self, columns: int, lines: int) -> str:
        camera = Console(record=True, width=columns, height=lines, file=io.StringIO(), force_terminal=True)
        camera.print(panel(self.unseen.frame(self.unseen.seconds), self.unseen.messages, camera))
        drawn = camera.export_svg(title="txfuzz run --strategy learning")
        # The reader's own fixed-width font: a picture in the docs loads none from another site
        return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="DIR")
    directory = parser.parse_args().write
    with tempfile.TemporaryDirectory() as temporary:
        screen = Photographed()
        run_campaign(
            iterations=ITERATIONS, strategy="learning", output=Path(temporary) / "run", subscriber=screen
        )
    for name, drawn in screen.pictures.items():
        (directory / f"{name}.svg").write_text(drawn)


if __name__ == "__main__":
    main()
