"""What a server puts around its pages: a bar, its own style, and its scripts by their addresses."""

from __future__ import annotations

from importlib import resources
from urllib.parse import quote

from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.shell import html_page, served

# Without one in the page a browser asks for a file
_ICON = (
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=%27http://www.w3.org/2000/svg%27'
    " viewBox=%270 0 16 16%27"
    "%3E%3Ccircle cx=%278%27 cy=%278%27 r=%276%27 fill=%27none%27 stroke=%27%230067a5%27 stroke-width=%273%27"
    '/%3E%3C/svg%3E">'
)
PAGE_SCRIPT, LIVE_SCRIPT, STYLE = "/static/page.js", "/static/live.js", "serve.css"


def asset(name: str) -> str:
    return resources.files("txfuzz.serve.assets").joinpath(name).read_text(encoding="utf-8")


def framed(page: str, bar: Content, *, live: bool = False) -> str:
    """A page of any part of txfuzz as the server hands it out."""
    scripts = (PAGE_SCRIPT, *([LIVE_SCRIPT] if live else []))
    style = _ICON + el("style", Markup(f"\n{asset(STYLE)}"))
    return served(page, bar, scripts).replace("</head>", f"{style}</head>", 1)


def own_page(title: str, body: Content, bar: Content, *, live: bool = False) -> str:
    """A page that only the server has."""
    return framed(html_page(title, body, ""), bar, live=live)


def bar(address: str = "", name: str = "", *, here: str = "", live: bool = False) -> Markup:
    """The ways from a run. address: of the run, with a slash at its end. here: the page that one is on."""
    items: list[Content] = [el("li", el("a", "txfuzz", href="/", class_="home"))]
    if name:
        link = f"/run/{quote(address)}"
        items.append(el("li", el("a", cut(name, 60), href=link)))
        items.append(el("li", here) if here else None)
        if live:
            items.append(el("li", el("a", "live", href=f"/live/{quote(address)}", class_="going")))
        ways = (("files", f"/files/{quote(address)}"), ("download as zip", f"/zip/{quote(address)}"))
        items += [
            el("li", el("a", text, href=to), class_="away" if not at else None)
            for at, (text, to) in enumerate(ways)
        ]
    return el("nav", el("ul", items), class_="bar", aria_label="txfuzz")
