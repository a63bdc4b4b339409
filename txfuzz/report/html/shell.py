"""What all pages have around them: the head, the style, the script, and what a browser may do with it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from txfuzz.common.version import __version__
from txfuzz.report.html.markup import Content, Markup, el, joined

# Nothing is ever fetched, and no script runs but the page's own, not even one smuggled in by a history
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)
_BODY = "<body>"


def html_page(title: str, body: Content, css: str) -> str:
    """A page of ours, in one file. css: in addition to what all pages have."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _policy(),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content=f"txfuzz {__version__}"),
        el("title", title),
        el("style", Markup(f"{asset('page.css')}\n{css}\n")),
        _script(),
    )
    return f"<!doctype html>\n{el('html', head, el('body', body), lang='en')}\n"


def served(page: str, bar: Content, scripts: tuple[str, ...]) -> str:
    """The same page as a server hands it out, under a policy that the server sends: with a bar above it, and
    its scripts by their addresses."""
    links = Markup("".join(el("script", src=each, defer="") for each in scripts))
    page = page.replace(_policy(), "", 1).replace(_script(), links, 1)
    return page.replace(_BODY, f"{_BODY}{joined(bar)}", 1)


@cache
def asset(name: str) -> str:
    """A file beside this module."""
    return resources.files("txfuzz.report.html").joinpath(name).read_text(encoding="utf-8")


def _script() -> Markup:
    return el("script", Markup(asset("page.js")))


@cache
def _policy() -> Markup:
    digest = hashlib.sha256(asset("page.js").encode()).digest()
    content = _POLICY.format(script=base64.b64encode(digest).decode())
    return el("meta", http_equiv="Content-Security-Policy", content=content)
