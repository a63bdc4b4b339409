"""The pages of the site: docs/ and what it links to elsewhere, in one folder, with links that fit.

    python docs/makers/site.py --write build/site-pages    # then: zensical build --strict
    python docs/makers/site.py --check build/site          # links, anchors and assets of what was built

The sources link to one another as they lie here, so that code hosts can follow them. A site has no room for
workloads and licences: files that are no pages become pages that show them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```[^\n]*\n.*?^ *```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s]+)\)")
ELSEWHERE = ("https://", "http://", "mailto:", "#")
# What stands elsewhere on the site than in the repository
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "LICENSE": "project/licence.md",
    "tests/histories/agreement/README.md": "explanation/agreement-histories.md",
    "examples": "how-to/examples.md",
}
LANGUAGES = {".yaml": "yaml", ".py": "python"}
ASSETS = (".png", ".svg", ".json")


def place(path: str) -> str:
    """Where a file of the repository is on the site, with the anchor if it is a part of a page."""
    parts = PurePosixPath(path).parts
    if path in MOVED:
        return MOVED[path]
    if parts[0] == "docs":
        return "/".join(parts[1:]).removesuffix(".ipynb") + (".md" if path.endswith(".ipynb") else "")
    if parts[0] == "plugins" and parts[2:] == ("README.md",):
        return f"plugins/txfuzz-{parts[1]}.md"
    if parts[0] == "examples" and len(parts) == 3 and Path(path).suffix in LANGUAGES:
        return f"examples/{parts[1]}.md#{parts[2].replace('.', '')}"
    raise ValueError(f"{path} has no place on the site")


def relinked(markdown: str, page: str, known: Collection[str] = ()) -> str:
    """The links of a page, by its path in the repository, as on the site; those that are known stay."""

    def link(found: re.Match[str]) -> str:
        target = found[2]
        if target.startswith(ELSEWHERE) or target in known:
            return found[0]
        name, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), name))
        if not (ROOT / path).exists():
            raise ValueError(f"{page} links to {target}, which is not there")
        there, _, part = place(path).partition("#")
        leads = os.path.relpath(there, os.path.dirname(place(page)) or ".")
        anchor = anchor or part
        return f"{found[1]}{leads}{'#' + anchor if anchor else ''})"

    made, at = [], 0
    for fence in FENCE.finditer(markdown):
        made += [LINK.sub(link, markdown[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*made, LINK.sub(link, markdown[at:])])


def example_page(folder: Path) -> str:
    """The files of an example, each under a heading of its own."""
    parts = [f"# {folder.name.replace('_', ' ').capitalize()}\n"]
    for file in sorted(folder.iterdir()):
        if language := LANGUAGES.get(file.suffix):
            shown = file.read_text(encoding="utf-8").rstrip("\n")
            parts.append(
                f"## {file.name}\n\n`examples/{folder.name}/{file.name}`:\n\n```{language}\n{shown}\n```\n"
            )
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Path on the site → Markdown."""
    sources = [
        *(name for name in MOVED if name.endswith(".md") and name != "README.md"),
        *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
        *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("plugins/*/README.md"))),
    ]
    made = {place(name): relinked((ROOT / name).read_text(encoding="utf-8"), name) for name in sources}
    for folder in sorted((ROOT / "examples").iterdir()):
        if any(file.suffix in LANGUAGES for file in folder.glob("*")):
            made[f"examples/{folder.name}.md"] = example_page(folder)
    made[MOVED["LICENSE"]] = (
        f"# Licence\n\n```text\n{(ROOT / 'LICENSE').read_text(encoding='utf-8').strip()}\n```\n"
    )
    return made


def notebooks() -> dict[str, Path]:
    """Path on the site → notebook."""
    return {place(str(path.relative_to(ROOT))): path for path in sorted((ROOT / "docs").rglob("*.ipynb"))}


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with its outputs as Markdown, and its pictures by their names beside the page."""
    from nbconvert import MarkdownExporter

    markdown, resources = MarkdownExporter().from_filename(str(path))
    pictures = {f"{path.stem}-{name}": data for name, data in resources["outputs"].items()}
    for name in resources["outputs"]:
        markdown = markdown.replace(f"]({name})", f"]({path.stem}-{name})")
    return markdown, pictures


def write(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    made = pages()
    for name, path in notebooks().items():
        markdown, pictures = notebook_page(path)
        made[name] = relinked(markdown, str(path.relative_to(ROOT)), known=pictures.keys())
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        for picture, data in pictures.items():
            (directory / name).with_name(picture).write_bytes(data)
    for name, markdown in made.items():
        page = directory / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(markdown, encoding="utf-8")
    for file in (ROOT / "docs").rglob("*"):
        if file.suffix in ASSETS:
            copy = directory / file.relative_to(ROOT / "docs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)


@dataclass
class Seen(HTMLParser):
    """What a page of the site refers to, and the anchors that it has."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loaded = tag != "link" or dict(attrs).get("rel") not in ("canonical", "prev", "next")
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name == "href" and value and loaded:
                (self.loads if tag == "link" else self.links).append(value)
            elif name == "src" and value:
                self.loads.append(value)


def complaints(site: Path) -> Iterator[str]:
    """Links and anchors that lead nowhere, and what a page loads from elsewhere."""
    seen: dict[Path, Seen] = {}
    for page in sorted(site.rglob("*.html")):
        seen[page] = Seen()
        seen[page].feed(page.read_text(encoding="utf-8"))
    for page, found in seen.items():
        name = page.relative_to(site)
        yield from (f"{name} loads {each}" for each in found.loads if urlsplit(each).netloc)
        if name.name == "404.html":  # served at any address: its links are absolute
            continue
        for each in [*found.links, *found.loads]:
            parts = urlsplit(each)
            if parts.scheme or parts.netloc or each.startswith("javascript:"):
                continue
            there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if there.is_dir():
                there = there / "index.html"
            if not there.is_file():
                yield f"{name} links to {each}"
            elif parts.fragment and there in seen and unquote(parts.fragment) not in seen[there].anchors:
                yield f"{name} links to {each}, which has no such part"


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--write", type=Path, metavar="DIR", help="put the pages here; what is there goes")
    options.add_argument("--check", type=Path, metavar="DIR", help="check the site that was built here")
    given = options.parse_args()
    if given.write:
        write(given.write)
    found = list(complaints(given.check.resolve())) if given.check else []
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
