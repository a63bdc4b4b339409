"""Leaving the process with the exit code of the command, even if a plugin left threads running."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from typing import NoReturn

_LEAVING = 3.0  # seconds for the process to exit


def leave(code: int) -> NoReturn:
    """Exit, even if a plugin left threads running."""

    def at_last() -> None:
        time.sleep(_LEAVING)
        os._exit(code)

    threading.Thread(target=at_last, name="leaving", daemon=True).start()
    here = threading.current_thread()
    if any(each is not here and not each.daemon for each in threading.enumerate()):
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)
