"""`--runner-cmd`: a command that makes histories; docs/external-runner.md is the contract.

The command is for the shell. One that names $HISTORY_OUT says by itself where the history goes; any
other gets `--config FILE --out FILE` behind it.
"""

from __future__ import annotations

import os
import queue
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from txfuzz.campaign.setup.settings import words_of
from txfuzz.campaign.sources.contract import HistoryRequest, ProvidedHistory
from txfuzz.common.sanitize import printable
from txfuzz.common.secrets import command_without_secrets, without_password
from txfuzz.errors import HistoryError, OutputError, UsageError

LOG = "runner.log"
REPLAY_CODES = (0, 1)  # a runner may say by 1 that the replay showed something, as `txfuzz execute` does

_NAMES_ITS_OUTPUT = re.compile(r"\$(?:HISTORY_OUT\b|\{HISTORY_OUT\b)")
_NOT_RUN = (126, 127)  # exit codes of a shell that could not start the command
_SHOWN = 300  # characters of a line that a command said
_LINES = 20  # of them that are shown of one run; all of them are in the log
_LONGEST = 1 << 16  # bytes of a line
_LOOK = 0.1  # seconds between two looks at what the command does
_PATIENCE = 5.0  # seconds that a command gets to end after it was asked to
_LAST_WORDS = 1.0  # seconds that whoever still holds its output gets after it has ended


@dataclass(frozen=True)
class ExternalCommand:
    """Runs the command once a history. database_url: becomes DATABASE_URL for it, where there is one.
    said: is told what it says on its stderr, line by line."""

    command: str = field(repr=False)
    database_url: str | None = field(default=None, repr=False)
    said: Callable[[str], None] = lambda line: None

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        self.make(request.files.workload, request.files.history, request.deadline.is_set)
        return ProvidedHistory()

    def make(
        self,
        config: Path,
        out: Path,
        over: Callable[[], bool],
        *,
        accepted: Collection[int] = (0,),
    ) -> None:
        """Have the history of this workload file made. over: whether it is to end now. accepted: the exit
        codes of success.

        Raises UsageError where the command cannot be run or fails, HistoryError where it wrote nothing.
        """
        named = f"--runner-cmd {command_without_secrets(shlex.quote(words_of(self.command)[0]))}"
        if out.exists() and out.stat().st_size:
            raise UsageError(f"{out}: is there already, and no command overwrites it")
        voice = _Voice(out.parent / LOG, self.said)
        try:
            process = subprocess.Popen(
                self.words(config, out),
                env=self.environment(config, out),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        except OSError as error:
            raise UsageError(f"{named} cannot be run: {error.strerror}") from None
        voice.listen(process)
        try:
            _wait(process, over, voice)
        except BaseException:
            _signal(process, signal.SIGKILL)
            raise
        last = f": {voice.last}" if voice.last else ""
        code = process.returncode
        if code not in accepted and not over():
            if code in _NOT_RUN:
                raise UsageError(f"{named} cannot be run{last}")
            how = f"failed with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise UsageError(f"{named} {how}{last}")
        if not out.exists():
            raise HistoryError(f"{out}: {named} has not written it{last}")

    def words(self, config: Path, out: Path) -> list[str]:
        """For the shell, which does nothing but hand on what is appended."""
        command = self.command.strip()
        if _NAMES_ITS_OUTPUT.search(command):
            return ["/bin/sh", "-c", command]
        appended = ["--config", str(config.absolute()), "--out", str(out.absolute())]
        return ["/bin/sh", "-c", f'{command} "$@"', "sh", *appended]

    def environment(self, config: Path, out: Path) -> Mapping[str, str]:
        """What the command finds there beside what txfuzz itself has."""
        url = {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {
            **os.environ,
            "HISTORY_OUT": str(out.absolute()),
            "WORKLOAD_CONFIG": str(config.absolute()),
            "ITERATION": out.parent.name.rpartition("_")[2],
            **url,
        }


class _Voice:
    """What a command says: all of it into a log without passwords, the beginning of its stderr shown."""

    def __init__(self, log: Path, said: Callable[[str], None]) -> None:
        self.last = ""
        self._path, self._said = log, said
        self._lines: queue.SimpleQueue[tuple[bool, str]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._log: IO[str] | None = None
        self._shown = 0

    def listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        for stream, shown in ((process.stdout, False), (process.stderr, True)):
            thread = threading.Thread(target=self._read, args=(stream, shown), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _read(self, stream: IO[bytes], shown: bool) -> None:
        with suppress(OSError, ValueError):
            for line in iter(lambda: stream.readline(_LONGEST), b""):
                text = printable(without_password(line.decode("utf-8", "replace").rstrip()))
                self._lines.put((shown, text))

    def hand_on(self) -> None:
        """Called by the thread that waits: nobody else writes to the screen."""
        try:
            while not self._lines.empty():
                shown, text = self._lines.get()
                if self._log is None:
                    self._log = open(self._path, "a", encoding="utf-8")  # noqa: SIM115 - closed by `end`
                self._log.write(f"{text}\n")
                if shown and text:
                    self._show(text[:_SHOWN])
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from None

    def _show(self, text: str) -> None:
        self.last = text
        self._shown += 1
        if self._shown <= _LINES:
            self._said(f"runner: {text}")
        elif self._shown == _LINES + 1:
            self._said(f"runner: … (all that it says: {self._path})")

    def end(self) -> None:
        until = time.monotonic() + _LAST_WORDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.hand_on()
        if self._log is not None:
            self._log.close()


def _wait(process: subprocess.Popen[bytes], over: Callable[[], bool], voice: _Voice) -> None:
    """Wait for the end of the command; ask it, and whatever it has started, for that when it is over."""
    asked: float | None = None
    while True:
        try:
            process.wait(_LOOK)
            break
        except subprocess.TimeoutExpired:
            voice.hand_on()
            if asked is not None and time.monotonic() - asked > _PATIENCE:
                _signal(process, signal.SIGKILL)
            elif asked is None and over():
                _signal(process, signal.SIGTERM)
                asked = time.monotonic()
    voice.end()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
