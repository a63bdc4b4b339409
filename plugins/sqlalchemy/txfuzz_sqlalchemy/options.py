"""The adapter's options."""

from __future__ import annotations

from dataclasses import dataclass, replace

from txfuzz.plugin_api import UsageError, canonical, check_options, listed, option, tables_option

from .dialects import DIALECTS, UNKNOWN, DialectFacts

BY_DIALECT = "by-dialect"


@dataclass(frozen=True)
class SqlalchemyOptions:
    dialect: str | None = option(
        None, "SQLAlchemy's name of the database; by default that of the URL", choices=tuple(DIALECTS)
    )
    levels: str | None = option(
        None,
        "isolation levels with what each promises, from weak to strong: `read committed=read-committed, …`; "
        "by default those that are known of the dialect",
    )
    append: str = option(
        BY_DIALECT,
        "how to write a row that may not exist yet: as the dialect does it in one statement; "
        "or UPDATE and, if that found no row, INSERT",
        choices=(BY_DIALECT, "update-else-insert"),
    )
    tables: int = tables_option()
    schema: str | None = option(
        None, "a schema that exists, for the tables; by default where connections are", longest=64
    )
    lock_wait_ms: int = option(
        2000, "milliseconds that a statement waits for a lock, where the database can limit that", least=1
    )
    keep: bool = option(False, "whether the tables stay for a later campaign")

    def __post_init__(self) -> None:
        check_options(self, "sqlalchemy")
        if self.levels is None:
            return
        told = _levels(self.levels)
        known = None if self.dialect is None else DIALECTS[self.dialect]
        if known is not None and not known.chooses and told.keys() - known.levels.keys():
            raise UsageError(
                f"the option `levels`: {known.product} has the level {listed(known.levels)} only, and no "
                f"statement that chooses one; found {listed(told)}"
            )

    @property
    def facts(self) -> DialectFacts:
        """Of the dialect, with the levels that the options name."""
        known = UNKNOWN if self.dialect is None else DIALECTS[self.dialect]
        if self.levels is None:
            return known
        levels = _levels(self.levels)
        default = known.default if known.default in levels else list(levels)[-1]
        chooses = known.chooses or self.dialect is None
        return replace(known, levels=levels, default=default, chooses=chooses)


def _levels(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(","):
        level, equals, model = (each.strip() for each in part.partition("="))
        if not (level and equals and model):
            raise UsageError(
                f"the option `levels` has {part.strip()!r}, expected LEVEL=MODEL, such as "
                "serializable=snapshot-isolation"
            )
        canonical(model)  # UsageError for one that is not known
        found[level.lower()] = model
    return found
