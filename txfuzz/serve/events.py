"""Server-sent events of a campaign that is running: the parts of its live page, as they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from txfuzz.errors import UsageError
from txfuzz.serve.pages.live import LiveParts
from txfuzz.serve.records.watch import CampaignWatch

_LOOK = 0.5  # seconds between two looks at the directory
_QUIET = 10.0  # seconds after which a comment shows that the connection is alive
_AGAIN = 1000  # milliseconds until a browser connects again


async def event_stream(
    watch: CampaignWatch, address: str, last: str, ending: asyncio.Event
) -> AsyncIterator[str]:
    """The text of the stream. last: the id of the last event that the reader has, empty if it has none: what
    has changed since is sent at once, as the parts that it may lack. ending: that the server ends."""
    yield f"retry: {_AGAIN}\n\n"
    made, sent = LiveParts(address), dict[str, str]()
    mark, quiet = last, 0.0
    while not ending.is_set():
        try:
            found, view = await run_in_threadpool(watch.look)
        except UsageError:
            yield "event: ended\ndata: {}\n\n"
            return
        if found != mark:
            parts = await run_in_threadpool(made.of, view)
            news = {name: html for name, html in parts.items() if sent.get(name) != html}
            sent, mark, quiet = parts, found, 0.0
            if news:
                yield f"id: {found}\nevent: parts\ndata: {json.dumps(news)}\n\n"
        if not view.running:
            yield f"id: {found}\nevent: ended\ndata: {{}}\n\n"
            return
        if quiet >= _QUIET:
            quiet = 0.0
            yield ": still here\n\n"
        try:
            await asyncio.wait_for(ending.wait(), _LOOK)
        except TimeoutError:
            quiet += _LOOK
