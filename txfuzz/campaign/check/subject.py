"""What is checked, from its file: a scenario in YAML, or Python code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.resolve import IN_FILE, InstalledVocabulary, adapter_of, database_url
from txfuzz.check.contract import CheckedInvariant, CheckedTransaction, SqlInvariant
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import Adapter, Database, SessionError
from txfuzz.database.isolation_levels import capabilities_of, level_named, open_database
from txfuzz.database.scenario import HoldsScenarios, ScenarioTables, SetupRefused
from txfuzz.errors import UsageError
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import Scenario, ScenarioReplay
from txfuzz.workload.yaml.runtime_errors import naming_url

Transactions = tuple[CheckedTransaction, ...]


@dataclass
class Subject(Closeable):
    """Transactions and invariants on tables that are there. scenario: None where they are Python code."""

    name: str
    path: Path
    adapter: Adapter
    database: Database
    tables: ScenarioTables
    transactions: Transactions
    invariants: tuple[CheckedInvariant, ...]
    ignored: frozenset[str] = frozenset()
    isolation: str | None = None
    expect: str = "serializable"
    judge: str = "serial"
    scenario: Scenario | None = None
    replay: ScenarioReplay | None = None

    def close(self) -> None:
        self.tables.close()
        self.database.close()

    def place_of(self, text: str) -> str:
        """Where a query or a column stands, as file:line:column; the file where that is not known."""
        known = {} if self.scenario is None else self.scenario.places
        return known.get(text, str(self.path))

    def tables_of(self, setup: Sequence[str]) -> ScenarioTables:
        """Tables beside these, made by other statements. Raises SessionError."""
        assert isinstance(self.database, HoldsScenarios)
        return self.database.scenario(setup)


def open_subject(path: Path, registry: Registry, url: str | None, adapter: str | None) -> Subject:
    """adapter: by name, in place of the one that a scenario names; Python code names none.

    Raises UsageError, DatabaseUnavailable.
    """
    from txfuzz.workload.yaml.scenario.replay import read_code_replay

    if path.suffix == ".py":
        return _open_code(path, registry, url, adapter)
    kept = read_code_replay(path)
    if kept is not None:
        code = _open_code(kept.code, registry, url, adapter or kept.adapter)
        return replace(code, replay=kept.replay)
    from txfuzz.workload.yaml.scenario.reader import read_scenario

    scenario = read_scenario(path, InstalledVocabulary(registry, path))
    adapter = chosen_database(registry, adapter, url).adapter
    if adapter is not None and adapter != scenario.database.adapter:
        named = scenario.database  # whose level, URL and options are those of another database
        own = DatabaseSpec(adapter) if named.adapter is not None else replace(named, adapter=adapter)
        scenario = replace(scenario, database=own)
    return open_scenario(scenario, path, registry, url)


def open_scenario(scenario: Scenario, path: Path, registry: Registry, url: str | None) -> Subject:
    chosen = adapter_of(scenario.database, registry, str(path), f"--adapter NAME or {IN_FILE}")
    with naming_url(path, scenario, url):
        database = open_database(chosen, database_url(url, scenario))

    def ready() -> Subject:
        try:
            tables = _holding(chosen, database).scenario(scenario.setup)
        except SetupRefused as error:
            reason = f"{error.message} ({error.code})"
            raise scenario.refused(error.statement, reason, error.position) from None
        except SessionError as error:
            raise UsageError(
                f"{path}: the database refused the setup: {error.message} ({error.code})"
            ) from None
        return Subject(
            scenario.name,
            path,
            chosen,
            database,
            tables,
            tuple(SqlTransaction(each) for each in scenario.transactions),
            tuple(SqlInvariant(each.name, each.sql) for each in scenario.invariants),
            scenario.ignored,
            scenario.database.isolation,
            scenario.expect,
            scenario.judge,
            scenario,
            scenario.replay,
        )

    return _or_closed(database, ready)


def _open_code(path: Path, registry: Registry, url: str | None, adapter: str | None) -> Subject:
    from txfuzz.check.code.file import open_code

    where = database_url(url, None)
    named = chosen_database(registry, adapter, where).adapter
    spec = DatabaseSpec(named)
    chosen = adapter_of(spec, registry, str(path), "--adapter NAME")
    database = open_database(chosen, where)

    def ready() -> Subject:
        _holding(chosen, database)
        subject, tables = open_code(path, database)
        return Subject(
            str(path),
            path,
            chosen,
            database,
            tables,
            tuple(_at_known_level(each, chosen) for each in subject.transactions),
            subject.invariants,
            subject.ignored,
        )

    return _or_closed(database, ready)


def _at_known_level(transaction: CheckedTransaction, adapter: Adapter) -> CheckedTransaction:
    """With the level of its decorator as the adapter spells it."""
    from txfuzz.check.code.arguments import place_of
    from txfuzz.check.code.call import CodeTransaction

    if not isinstance(transaction, CodeTransaction) or transaction.isolation is None:
        return transaction
    try:
        return replace(transaction, isolation=level_named(capabilities_of(adapter), transaction.isolation))
    except UsageError as error:
        raise UsageError(f"{place_of(transaction.function)}: {error}") from None


def _holding(adapter: Adapter, database: Database) -> HoldsScenarios:
    if not isinstance(database, HoldsScenarios):
        raise UsageError(f"the adapter {adapter.name!r} cannot run scenarios")
    return database


def _or_closed(database: Database, ready: Callable[[], Subject]) -> Subject:
    try:
        return ready()
    except BaseException:
        database.close()
        raise
