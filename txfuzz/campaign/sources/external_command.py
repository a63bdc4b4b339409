"""`--runner-cmd`: a shell command that makes histories; docs/how-to/external-runner.md is the contract.

`--config FILE --out FILE` is appended, unless the command mentions $HISTORY_OUT.
"""

from __future__ import annotations

import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from txfuzz.campaign.directory.run_directory import writing
from txfuzz.campaign.setup.settings import words_of
from txfuzz.campaign.sources.contract import HistoryRequest, ProvidedHistory
from txfuzz.common.sanitize import printable
from txfuzz.common.secrets import command_without_secrets, without_password
from txfuzz.errors import HistoryError, UsageError

LOG = "runner.log"
REPLAY_CODES = (0, 1)  # 1 may mean that the replay showed something, as for `txfuzz execute`

_NAMES_ITS_OUTPUT = re.compile(r"\$(?:HISTORY_OUT\b|\{HISTORY_OUT\b)")
_NOT_RUN = (126, 127)  # exit codes of a shell that could not start the command
_SHOWN = 300  # characters of a line that are shown
_LINES = 20  # lines that are shown per run; all of them are in the log
_LONGEST = 1 << 16  # bytes of a line
_POLL = 0.1  # seconds
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_DRAIN = 1.0  # seconds to wait for output after the command has ended


@dataclass(frozen=True)
class ExternalCommand:
    """Runs the command once per history. database_url: passed to it as DATABASE_URL. on_line: called with
    each line of its stderr."""

    command: str = field(repr=False)
    database_url: str | None = field(default=None, repr=False)
    on_line: Callable[[str], None] = lambda line: None

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
        """Run the command for this workload file. over: returns whether it has to end now. accepted: exit
        codes that mean success.

        Raises UsageError if the command cannot be run or fails, HistoryError if it wrote no history.
        """
        named = f"--runner-cmd {command_without_secrets(shlex.quote(words_of(self.command)[0]))}"
        if sys.platform == "win32":
            raise UsageError(f"{named} needs a POSIX shell, which Windows does not have; there is one in WSL")
        if out.exists() and out.stat().st_size:
            raise UsageError(f"{out}: already exists, and is not overwritten")
        output = _Output(out.parent / LOG, self.on_line)
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
        output.listen(process)
        try:
            _wait(process, over, output)
        except BaseException:
            _end(process, at_once=True)
            raise
        last = f": {output.last}" if output.last else ""
        code = process.returncode
        if code not in accepted and not over():
            if code in _NOT_RUN:
                raise UsageError(f"{named} cannot be run{last}")
            how = f"failed with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise UsageError(f"{named} {how}{last}")
        if not out.exists():
            raise HistoryError(f"{out}: {named} did not write it{last}")

    def words(self, config: Path, out: Path) -> list[str]:
        """The arguments of the shell. What is appended is passed on without being interpreted."""
        command = self.command.strip()
        if _NAMES_ITS_OUTPUT.search(command):
            return ["/bin/sh", "-c", command]
        appended = ["--config", str(config.absolute()), "--out", str(out.absolute())]
        return ["/bin/sh", "-c", f'{command} "$@"', "sh", *appended]

    def environment(self, config: Path, out: Path) -> Mapping[str, str]:
        """The environment of txfuzz with the variables of the contract."""
        url = {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {
            **os.environ,
            "HISTORY_OUT": str(out.absolute()),
            "WORKLOAD_CONFIG": str(config.absolute()),
            "ITERATION": out.parent.name.rpartition("_")[2],
            **url,
        }


class _Output:
    """The output of a command: all of it goes into a log without passwords, the first lines of its stderr
    are shown."""

    def __init__(self, log: Path, on_line: Callable[[str], None]) -> None:
        self.last = ""
        self._path, self._on_line = log, on_line
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

    def flush(self) -> None:
        """Called by the waiting thread, the only one that writes to the screen."""
        with writing(self._path):
            while not self._lines.empty():
                shown, text = self._lines.get()
                if self._log is None:
                    self._log = open(self._path, "a", encoding="utf-8")  # noqa: SIM115 - closed by `end`
                self._log.write(f"{text}\n")
                if shown and text:
                    self._show(text[:_SHOWN])

    def _show(self, text: str) -> None:
        self.last = text
        self._shown += 1
        if self._shown <= _LINES:
            self._on_line(f"runner: {text}")
        elif self._shown == _LINES + 1:
            self._on_line(f"runner: … (full output: {self._path})")

    def end(self) -> None:
        until = time.monotonic() + _DRAIN
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.flush()
        if self._log is not None:
            self._log.close()


def _wait(process: subprocess.Popen[bytes], over: Callable[[], bool], output: _Output) -> None:
    """Wait for the command to end. When it has to, end it and the processes that it started."""
    terminated: float | None = None
    while True:
        try:
            process.wait(_POLL)
            break
        except subprocess.TimeoutExpired:
            output.flush()
            if terminated is not None and time.monotonic() - terminated > _GRACE:
                _end(process, at_once=True)
            elif terminated is None and over():
                _end(process)
                terminated = time.monotonic()
    output.end()


def _end(process: subprocess.Popen[bytes], *, at_once: bool = False) -> None:
    """End the command and what it has started; on Windows, which has no process groups, only the command."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)
