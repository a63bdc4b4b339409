"""The status screen in the docs, from a live campaign.

    python docs/makers/screen_picture.py --write docs/pictures

Writes status.svg: the screen before the last iteration.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from txfuzz import run_campaign
from txfuzz.campaign.events import CampaignEnded, Event, IterationEnded
from txfuzz.cli.live_screen import LiveScreen

ITERATIONS = 4
WIDTH = 110


class Photographed(LiveScreen):
    """A status screen that is rendered but not shown."""

    def __init__(self) -> None:
        super().__init__(ITERATIONS)
        self.camera = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
        self._console.quiet = True

    def __call__(self, event: Event) -> None:
        if isinstance(event, CampaignEnded):
            self.close()
            return
        super().__call__(event)
        if isinstance(event, IterationEnded) and event.iteration.number == ITERATIONS - 2:
            self.camera.print(self._render())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="DIR")
    directory = parser.parse_args().write
    with tempfile.TemporaryDirectory() as temporary:
        screen = Photographed()
        run_campaign(iterations=ITERATIONS, output=Path(temporary) / "run", subscriber=screen)
        drawn = screen.camera.export_svg(title="txfuzz run")
        # The reader's own fixed-width font: a picture in the docs loads none from another site
        (directory / "status.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


if __name__ == "__main__":
    main()
