"""An open SQL database, without sessions; see txfuzz.database.api.Database."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from txfuzz.common.closeable import Closeable
from txfuzz.common.kind import Kind
from txfuzz.database.embedded.server import OwnServer
from txfuzz.database.sql.control import ControlConnection
from txfuzz.database.sql.tables import TABLE_PREFIX, TableMaker, Tables
from txfuzz.errors import DatabaseUnavailable, UsageError

Connection = TypeVar("Connection")
Result = TypeVar("Result")


class SqlDatabase(Closeable, ABC, Generic[Connection]):
    """A database with its keys in tables."""

    maker: ClassVar[TableMaker[Connection]]

    @abstractmethod
    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do some work on a connection that is not a session."""

    @abstractmethod
    def tables(self, kind: Kind) -> Tables: ...

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        """Those that this database has made with another layout are made anew."""
        tables = self.tables(kind)
        fresh = fresh or self._made.get(kind, tables) != tables
        highest = self.run(lambda on: self.maker.prepare(on, tables, fresh=fresh))
        self._made[kind] = tables
        return highest

    @cached_property
    def _made(self) -> dict[Kind, Tables]:
        """Those that were prepared last."""
        return {}

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self.tables(kind)
        self.run(lambda on: self.maker.insert_empty(on, tables, keys))

    def delete_rows(self, kind: Kind, keys: range) -> None:
        """See txfuzz.database.variations.DeletesRows."""
        tables = self.tables(kind)
        self.run(lambda on: self.maker.delete(on, tables, keys))


class Schemas(ABC, Generic[Connection]):
    """Our schemas on an external server, or what the product has instead.

    The schema of a campaign is marked as ours, and locked while the campaign runs. A killed campaign leaves a
    marked schema without a lock, which the next campaign drops. word: the product's word for a schema.
    """

    word: ClassVar[str]

    @abstractmethod
    def create(self, on: Connection, name: str) -> None: ...

    @abstractmethod
    def create_marked(self, on: Connection, name: str) -> None:
        """A new one, marked and locked atomically, so that it is never taken for an orphan."""

    @abstractmethod
    def exists(self, on: Connection, name: str) -> bool: ...

    @abstractmethod
    def lock(self, on: Connection, name: str) -> bool:
        """Hold its lock until the connection ends; False if another campaign does."""

    @abstractmethod
    def drop(self, on: Connection, name: str) -> None:
        """Drop it with its contents; harmless if it does not exist."""

    @abstractmethod
    def drop_orphans(self, on: Connection) -> int:
        """Drop the schemas of killed campaigns, if possible; how many."""

    def use(self, on: Connection, name: str) -> None:
        """Use a schema of the user, which is created if necessary and kept."""
        if not self.exists(on, name):
            self.create(on, name)
        if not self.lock(on, name):
            raise UsageError(f"another campaign is using the {self.word} {name!r}")


class LockWaits(Protocol):
    """Queries lock waits of the server on its own connection."""

    def among(self, numbers: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Waiting session → sessions that it waits for, in the server's numbers."""

    def close(self) -> None: ...


class ServerDatabase(SqlDatabase[Connection]):
    """Our schema on a server. The subclass's constructor ends with claim_schema().

    shown: the URL without secrets. server: the embedded one, which is closed with this; None for an external
    one. schema: a schema of the user, which is kept; None for a new one, which is dropped at the end. count:
    number of tables to spread keys over.
    """

    product: str
    schemas: ClassVar[Schemas[Connection]]
    quote: ClassVar[str] = '"'

    def __init__(
        self,
        shown: str,
        server: OwnServer | None,
        control: ControlConnection[Connection],
        lock_waits: LockWaits,
        *,
        schema: str | None,
        count: int,
    ) -> None:
        self._shown = shown
        self._server = server
        self._control = control
        self._lock_waits = lock_waits
        self._keeps_schema = schema is not None
        self._schema = schema or TABLE_PREFIX + secrets.token_hex(5)
        self._count = count
        self._layout = ""
        self._facts: Mapping[str, str] = {}
        self._warnings: tuple[str, ...] = ()
        self._closed = False

    def describe(self) -> Mapping[str, str]:
        """From _facts: the version and relevant settings."""
        facts = dict(self._facts)
        found = {
            "product": self.product,
            "version": facts.pop("version"),
            "server": "embedded" if self._server else self._shown,
        }
        if self._server:
            found["server_files"] = self._server.files_shown
        return {**found, "url": self._shown, "schema": self._schema, **facts}

    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    def run(self, work: Callable[[Connection], Result]) -> Result:
        return self._control.run(work)

    def tables(self, kind: Kind) -> Tables:
        return Tables(kind, self._schema, self._count, quote=self.quote, layout=self._layout)

    def server_log(self) -> Path | None:
        """See txfuzz.database.scenario.OwnsServer."""
        return self._server.log if self._server is not None else None

    def server_runs(self) -> bool:
        return self._server is not None and self._server.running()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._lock_waits.close()
        try:
            if self._server is None and not self._keeps_schema:
                self.run(self.leave)
        except DatabaseUnavailable:
            pass  # the server is gone; the next campaign drops the schema
        finally:
            self._control.close()
            if self._server is not None:
                self._server.close()

    def claim_schema(self) -> None:
        """Create the schema, or use the user's; also drop schemas of killed campaigns."""
        if self._server is None:
            self._control.run_several(self.schemas.drop_orphans)
        claim = self.schemas.use if self._keeps_schema else self.schemas.create_marked
        try:
            self.run(lambda on: claim(on, self._schema))
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(
                f"the {self.schemas.word} {self._schema!r} cannot be created: {error}"
            ) from None
        self._control.on_connect = self.reclaim

    def reclaim(self, on: Connection) -> None:
        """Restore what was lost with the control connection."""
        self.schemas.lock(on, self._schema)

    def leave(self, on: Connection) -> None:
        """Remove our schema from an external server."""
        self.schemas.drop(on, self._schema)
