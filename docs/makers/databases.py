"""The tables of docs/reference/databases.md, from what the installed adapters say of themselves.

python docs/makers/databases.py --write docs/reference/databases.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from txfuzz.campaign.hunt.settings import hunting_adapters
from txfuzz.database.drivers import KnowsDrivers
from txfuzz.database.schemes import ANY_SCHEME, schemes_of
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import RegistryEntry
from txfuzz_mariadb.products import RELEASES
from txfuzz_sqlalchemy.dialects import DIALECTS

YES, NO = "yes", "–"


def tables() -> Mapping[str, str]:
    """Name of a table → its Markdown."""
    return {"adapters": _adapters(), "dialects": _dialects(), "products": _products()}


def renewed(page: str) -> str:
    for name, text in tables().items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


def _adapters() -> str:
    registry = load_plugins(strict=True)
    hunting = hunting_adapters(registry)
    entries = [each for each in registry.all("adapter") if not getattr(each.value, "only_by_name", False)]
    rows = [_adapter(each, each.name in hunting) for each in entries]
    head = (
        "URL begins with",
        "adapter",
        "distribution",
        "without a URL",
        "levels, weakest first",
        "`check`",
        "`hunt`",
    )
    return _table(head, rows)


def _adapter(entry: RegistryEntry, hunts: bool) -> tuple[str, ...]:
    schemes, made = schemes_of(entry.value), entry.value()
    can = made.capabilities()
    urls = "anything else" if ANY_SCHEME in schemes else ", ".join(f"`{each}://`" for each in sorted(schemes))
    levels = "those of the dialect" if ANY_SCHEME in schemes else ", ".join(can.isolation)
    checks = (YES if isinstance(made, KnowsDrivers) else "SQL only") if hunts else NO
    starts = "starts its own" if can.embedded else NO
    return (
        urls,
        f"`{entry.name}`",
        f"`{entry.plugin.distribution}`",
        starts,
        levels,
        checks,
        YES if hunts else NO,
    )


def _dialects() -> str:
    rows = (
        (
            f"`{name}`",
            facts.product,
            "; ".join(f"{level}: {model}" for level, model in facts.levels.items()),
            f"`{facts.lock_wait}`" if facts.lock_wait else NO,
        )
        for name, facts in DIALECTS.items()
    )
    return _table(("dialect", "database", "levels and what they promise", "lock waits end by"), rows)


def _products() -> str:
    words = {None: "no such setting", False: "off", True: "on"}
    rows = (
        (
            each.product,
            ".".join(map(str, each.since)),
            "; ".join(f"{level}: {model}" for level, model in each.levels.items()),
            words[each.snapshots],
            f"[manual]({each.source})",
        )
        for each in RELEASES
    )
    head = (
        "server",
        "since version",
        "levels and what they promise",
        "`innodb_snapshot_isolation`",
        "source",
    )
    return _table(head, rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    lines = (" | ".join(each) for each in (names, ("---",) * len(names), *rows))
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="PAGE")
    page = parser.parse_args().write
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
