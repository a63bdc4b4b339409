"""A plugin whose import starts a thread that does not end."""

import threading
import time
from dataclasses import dataclass
from typing import ClassVar

from txfuzz import hookimpl

threading.Thread(target=lambda: time.sleep(10000)).start()


@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"

    def propose(self, feedback, workload, random):
        return ()


@hookimpl
def txfuzz_register_heuristics():
    return [Bad]
