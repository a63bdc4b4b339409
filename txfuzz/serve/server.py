"""Runs the pages until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from txfuzz.errors import UsageError
from txfuzz.serve.application import application

_ANYWHERE = ("0.0.0.0", "::", "")
_AT_LAST = 1  # seconds for answers under way, once streams of events have ended


_ENDING = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    _ENDING.append(signal.SIGHUP)


class _Server(uvicorn.Server):
    """Tells streams of events that it ends, which would keep it from ending."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C is how a server is meant to end, so the signal is not raised again afterwards."""
        heard = [each for each in _ENDING if signal.getsignal(each) != signal.SIG_IGN]  # as under nohup
        before = {each: signal.signal(each, self.handle_exit) for each in heard}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._ending.set)

    _loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)


def serve(directory: Path, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the runs in a directory until SIGINT or SIGTERM. port 0: any that is free. ready: called with the
    address once it can be opened. UsageError if the directory or the address cannot be used."""
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; give the one that holds the runs, or one of them")
    ending = asyncio.Event()
    pages = application(directory, names=_names(host), ending=ending, warm=True)
    config = uvicorn.Config(
        pages,
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_AT_LAST,
    )
    with _bound(host, port) as listening:
        name, number = listening.getsockname()[:2]
        at = "localhost" if host in _ANYWHERE else host
        shown = f"[{name}]" if ":" in name and host not in _ANYWHERE else at
        ready(f"http://{shown}:{number}/")
        _Server(config, ending).run(sockets=[listening])


def _names(host: str) -> tuple[str, ...]:
    """Under which the server may be asked: this machine's own if it listens to others."""
    names = {"localhost", host} if host else {"localhost"}
    if host in _ANYWHERE:
        names |= {socket.gethostname(), socket.getfqdn()}
    return tuple(names - {*_ANYWHERE})


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(place)
            listening.listen(128)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot listen on {host}:{port}: {reason}; choose another --host or --port"
        ) from None
    return listening
