"""The server of a hunt, which may go down under it: then it is waited for, or started anew."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from txfuzz.common.closeable import Closeable
from txfuzz.common.sanitize import printable
from txfuzz.database.api import Database, SessionError
from txfuzz.database.scenario import HoldsScenarios, OwnsServer
from txfuzz.errors import DatabaseUnavailable, UsageError

RECOVERY_SECONDS = 60.0
LOG_LINES = 40
_LOG_BYTES = 16_384
_LOOK_EVERY = 0.1  # seconds
_MOMENT = 0.2  # seconds until it has ended those that still answer


class HuntedServer(Closeable):
    """open_database: opens it, again wherever a server of our own has ended."""

    def __init__(self, open_database: Callable[[], Database], name: str) -> None:
        self._open, self._name = open_database, name
        self._earlier: tuple[str, ...] = ()
        self.database = open_database()

    def close(self) -> None:
        self.database.__exit__(None, None, None)

    @property
    def scenarios(self) -> HoldsScenarios:
        if not isinstance(self.database, HoldsScenarios):
            raise UsageError(f"the adapter {self._name!r} cannot run scenarios")
        return self.database

    def log(self) -> tuple[str, ...] | None:
        """The last lines that the server has logged; None where it is not ours to look into."""
        path = self._log_file()
        return None if path is None else (*self._earlier, *_tail(path))[-LOG_LINES:]

    def revive(self) -> HoldsScenarios:
        """Waits until it answers. DatabaseUnavailable if it does not within RECOVERY_SECONDS."""
        until = time.monotonic() + RECOVERY_SECONDS
        time.sleep(_MOMENT)
        while True:
            if self._has_ended():
                self._earlier = self.log() or ()
                with suppress(DatabaseUnavailable, SessionError):
                    self.close()
                self.database = self._open()
            try:
                with self.scenarios.scenario(()):
                    return self.scenarios
            except (DatabaseUnavailable, SessionError) as error:
                if time.monotonic() > until:
                    raise DatabaseUnavailable(
                        f"the server went down and did not come back within {RECOVERY_SECONDS:.0f} s: {error}"
                    ) from None
            time.sleep(_LOOK_EVERY)

    def _log_file(self) -> Path | None:
        return self.database.server_log() if isinstance(self.database, OwnsServer) else None

    def _has_ended(self) -> bool:
        database = self.database
        return (
            isinstance(database, OwnsServer)
            and database.server_log() is not None
            and not database.server_runs()
        )


def _tail(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(printable(line) for line in text.splitlines() if line.strip())[-LOG_LINES:]
