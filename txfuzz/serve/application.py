"""The addresses of the server, and what each of them shows. Nothing here writes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from txfuzz.campaign.directory.run_records import RunKind
from txfuzz.campaign.directory.runs import RunSummary, read_summary
from txfuzz.errors import TxfuzzError
from txfuzz.report.html.markup import el
from txfuzz.report.html.shell import asset as page_asset
from txfuzz.serve.archive import zipped
from txfuzz.serve.events import event_stream
from txfuzz.serve.guard import FILE_POLICY, Guard
from txfuzz.serve.pages.campaign import campaign_page, one_finding_page
from txfuzz.serve.pages.frame import asset, bar, own_page
from txfuzz.serve.pages.live import live_page
from txfuzz.serve.pages.other_runs import files_page, other_page
from txfuzz.serve.pages.run_list import Wanted, list_page
from txfuzz.serve.records.campaign_record import CampaignRecord
from txfuzz.serve.records.catalog import RunCatalog
from txfuzz.serve.records.places import NotHere, Places
from txfuzz.serve.records.watch import CampaignWatch

_RECORDS = 8  # campaigns that are kept in memory
_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}
_PLAIN = "text/plain; charset=utf-8"


class Pages:
    """The answers. places: what may be seen. shown: the directory as the user named it."""

    def __init__(self, places: Places, shown: str, ending: asyncio.Event) -> None:
        self._places, self._shown, self._ending = places, shown, ending
        self._catalog = RunCatalog(places)
        self._records: OrderedDict[Path, CampaignRecord] = OrderedDict()
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Read what takes long, so that whoever opens a long campaign need not wait for it."""
        for run in self._catalog.runs()[: _RECORDS // 2]:
            if run.kind is RunKind.CAMPAIGN:
                with contextlib.suppress(TxfuzzError, OSError):
                    self._record(run.path.resolve()).state()

    def runs(self, request: Request) -> Response:
        wanted = Wanted.asked(request.query_params)
        runs = self._catalog.runs()
        return HTMLResponse(list_page(runs, wanted, self._shown, lambda run: self._places.address(run.path)))

    def run(self, request: Request) -> Response:
        """The page of a run, or a file in its directory."""
        address = request.path_params["address"]
        try:
            path = self._places.run(address)
        except NotHere:
            return self._file(address)
        if address and not address.endswith("/"):
            return RedirectResponse(f"/run/{quote(address)}/", 307)
        summary = self._summary(path)
        if summary.kind is not RunKind.CAMPAIGN:
            headers = {"Refresh": "5"} if summary.facts.state == "running" else {}
            return HTMLResponse(other_page(summary, address), headers=headers)
        row, further = (_number(request, name) for name in ("row", "further"))
        return HTMLResponse(campaign_page(self._record(path), address, row, further))

    def finding(self, request: Request) -> Response:
        path, address = self._campaign(request)
        name = request.query_params.get("name", "")
        return HTMLResponse(one_finding_page(self._record(path), address, name))

    def live(self, request: Request) -> Response:
        path, address = self._campaign(request)
        _, view = CampaignWatch(self._record(path)).look()
        return HTMLResponse(live_page(view, path, address))

    def events(self, request: Request) -> Response:
        path, address = self._campaign(request)
        last = request.headers.get("last-event-id", "")
        stream = event_stream(CampaignWatch(self._record(path)), address, last, self._ending)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def files(self, request: Request) -> Response:
        path, address = self._run(request)
        return HTMLResponse(files_page(self._summary(path), address))

    def zip(self, request: Request) -> Response:
        path, _ = self._run(request)
        name = quote(f"{path.name}.zip")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        body = iter(()) if request.method == "HEAD" else zipped(path)
        return StreamingResponse(body, media_type="application/zip", headers=headers)

    def script(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("page.js", "live.js"):
            raise NotHere(name)
        text = page_asset(name) if name == "page.js" else asset(name)
        return Response(text, media_type="text/javascript; charset=utf-8")

    def _file(self, address: str) -> Response:
        path = self._places.file(address)
        kind = _TYPES.get(path.suffix, _PLAIN)
        return FileResponse(path, media_type=kind, headers={"Content-Security-Policy": FILE_POLICY})

    def _run(self, request: Request) -> tuple[Path, str]:
        """The directory, and its address with a slash at its end."""
        path = self._places.run(request.path_params["address"])
        return path, self._places.address(path)

    def _campaign(self, request: Request) -> tuple[Path, str]:
        path, address = self._run(request)
        if self._summary(path).kind is not RunKind.CAMPAIGN:
            raise NotHere(address)
        return path, address

    def _summary(self, path: Path) -> RunSummary:
        summary = read_summary(path)
        if summary is None:
            raise NotHere(path.name)
        return summary

    def _record(self, path: Path) -> CampaignRecord:
        with self._lock:
            found = self._records.pop(path, None) or CampaignRecord(path)
            self._records[path] = found
            while len(self._records) > _RECORDS:
                self._records.popitem(last=False)
            return found


def application(
    directory: Path,
    *,
    names: Collection[str] = ("localhost",),
    ending: asyncio.Event | None = None,
    warm: bool = False,
) -> ASGIApp:
    """Everything about the runs in this directory, for an ASGI server.

    names: under which it may be asked, beside addresses. ending: set when the server ends, so that streams of
    events end as well. warm: begin at once to read the newest runs, in a thread.
    """
    pages = Pages(Places.below(directory), str(directory), ending or asyncio.Event())
    if warm:
        threading.Thread(target=pages.warm, name="reading", daemon=True).start()
    routes = [
        Route("/", pages.runs),
        Route("/run/{address:path}", pages.run),
        Route("/live/{address:path}", pages.live),
        Route("/finding/{address:path}", pages.finding),
        Route("/events/{address:path}", pages.events),
        Route("/files/{address:path}", pages.files),
        Route("/zip/{address:path}", pages.zip),
        Route("/static/{name}", pages.script),
    ]
    handlers: dict[object, Callable[[Request, Exception], Response]] = {
        NotHere: _not_here,
        HTTPException: _not_here,
        TxfuzzError: _unusable,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), names)


def _not_here(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 404
    return _sentence("There is no such run, page or file here.", code)


def _unusable(request: Request, error: Exception) -> Response:
    return _sentence(f"This run cannot be shown: {error}", 500)


def _sentence(text: str, code: int) -> Response:
    body = [el("header", el("p", "txfuzz", class_="kicker"), el("h1", str(code))),
            el("main", el("p", text), el("p", el("a", "All runs", href="/")), id="content")]  # fmt: skip
    return HTMLResponse(own_page(f"txfuzz: {code}", body, bar()), code)


def _number(request: Request, name: str) -> int:
    given = request.query_params.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
