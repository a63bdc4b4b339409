"""The pictures of docs/reference/serve.md: some runs, `txfuzz serve`, and headless Chromium.

python docs/makers/serve_pictures.py --write docs/pictures
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import uvicorn

from report_pictures import camera, shoot
from txfuzz import run_campaign
from txfuzz.campaign.events import Event, IterationEnded, RunProgress
from txfuzz.serve.application import application

ITERATION, ASKED = 4, 250  # when the campaign is looked at: in this one, after so many transactions


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, required=True, metavar="DIR")
    given = options.parse_args()
    write = given.write.resolve()
    write.mkdir(exist_ok=True)
    with (
        camera() as tab,
        tempfile.TemporaryDirectory() as directory,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        os.chdir(directory)
        place = Path("runs")
        place.mkdir()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            application(place), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()

        ended = 0

        def look(event: Event) -> None:
            nonlocal ended
            if isinstance(event, IterationEnded):
                ended += 1
            elif isinstance(event, RunProgress) and ended == ITERATION and event.asked > ASKED:
                ended += 1
                size = (1180, 1300)
                shoot(tab, f"{url}/live/faults/", write / "serve-live.png", size)

        try:
            runs = [sys.executable, "-m", "txfuzz"]
            for arguments in (
                ["hunt", "--budget", "8s", "--output-dir", "runs/hunt"],
                ["run", "--iterations", "2", "--isolation", "serializable", "--output-dir", "runs/strict"],
                ["run", "--iterations", "2", "--strategy", "learning", "--output-dir", "runs/learning"],
            ):
                subprocess.run([*runs, *arguments], check=False, capture_output=True)
            run_campaign(
                workload="crash",
                iterations=ITERATION + 1,
                seed=1,
                output=place / "faults",
                subscriber=look,
            )
            shoot(tab, f"{url}/", write / "serve.png", (1180, 520))
            shoot(tab, f"{url}/", write / "serve-phone.png", (390, 844), dark=True)
        finally:
            server.should_exit = True
            thread.join()


if __name__ == "__main__":
    main()
