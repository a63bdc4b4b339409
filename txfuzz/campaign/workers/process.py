"""The process of a worker: takes slices from standard input, and tells what they come to on standard output.

It ends with the process that started it, whatever becomes of that: then its standard input ends. Signals of
the terminal are for that process alone.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import time
from typing import IO, Any

from txfuzz.campaign.workers.messages import Ended, Failed, News, Opened, Stop, Take
from txfuzz.common.scratch import use_scratch

LEAVING = 10.0  # seconds that a worker has for cleaning up once nobody listens to it
_FAILED = 1


def main(orders: IO[bytes]) -> None:
    """orders: a duplicate of standard input, for how often to tell (in seconds) and the job, both pickled,
    then Take and Stop."""
    messages = _messages()
    use_scratch(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up
    told = _Told(messages, pickle.load(orders))
    try:
        job = pickle.load(orders)
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(orders, inbox, told), name="orders", daemon=True).start()
        with job.opened() as worker:
            told.say(Opened())
            while (asked := inbox.get()) is not None:
                worker.run(asked, told)
                told.end()
    except Exception as error:
        told.say(Failed.by(error))
        os._exit(_FAILED)  # a thread that does not come back is no reason to stay


def _messages() -> IO[bytes]:
    """Standard output, in whose place another one is put, as for standard input: what a plugin prints is no
    message."""
    messages = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return messages


def _listen(orders: IO[bytes], inbox: queue.SimpleQueue[Any], told: _Told) -> None:
    while True:
        try:
            order = pickle.load(orders)
        except (EOFError, OSError):
            told.stopped.set()
            inbox.put(None)
            time.sleep(LEAVING)
            os._exit(_FAILED)
        if isinstance(order, Take):
            inbox.put(order.asked)
        elif isinstance(order, Stop):
            told.stopped.set()
            inbox.put(None)


class _Told:
    """Passes on what a slice has come to, not more often than anybody can look at it. every: in seconds."""

    def __init__(self, messages: IO[bytes], every: float) -> None:
        self._messages, self._every = messages, every
        self._unsaid: Any = None
        self._last = 0.0
        self.stopped = threading.Event()

    def __call__(self, news: Any) -> bool:
        self._unsaid = news
        if time.monotonic() - self._last >= self._every:
            self._say_it()
        return not self.stopped.is_set()

    def end(self) -> None:
        self._say_it()
        self.say(Ended())

    def _say_it(self) -> None:
        if self._unsaid is not None:
            self.say(News(self._unsaid))
            self._unsaid, self._last = None, time.monotonic()

    def say(self, message: Any) -> None:
        try:
            pickle.dump(message, self._messages)
            self._messages.flush()
        except BrokenPipeError:
            self.stopped.set()  # nobody listens any more
