"""An open SQL database; see txfuzz.database.api.Database. What a product adds is its sessions."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
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
    """One whose keys are in tables."""

    maker: ClassVar[TableMaker[Connection]]

    @abstractmethod
    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do some work on a connection of ours, aside of the sessions."""

    @abstractmethod
    def tables(self, kind: Kind) -> Tables: ...

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        tables = self.tables(kind)
        return self.run(lambda on: self.maker.prepare(on, tables, fresh=fresh))

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self.tables(kind)
        self.run(lambda on: self.maker.insert_empty(on, tables, keys))


class Schemas(ABC, Generic[Connection]):
    """Places of ours on somebody's server: a schema each, or what the product has instead of it.

    That of a campaign is marked as ours, and locked for as long as the campaign lives. A campaign that was
    killed leaves a marked one that nobody locks; the next one drops it. word: what people call it.
    """

    word: ClassVar[str]

    @abstractmethod
    def create(self, on: Connection, name: str) -> None: ...

    @abstractmethod
    def create_marked(self, on: Connection, name: str) -> None:
        """A new one, marked and locked: nobody takes it for an orphan in between."""

    @abstractmethod
    def exists(self, on: Connection, name: str) -> bool: ...

    @abstractmethod
    def lock(self, on: Connection, name: str) -> bool:
        """Hold its lock until the connection ends; False if somebody else does."""

    @abstractmethod
    def drop(self, on: Connection, name: str) -> None:
        """With all that is in it; harmless where it is gone."""

    @abstractmethod
    def drop_orphans(self, on: Connection) -> int:
        """Drop those of campaigns that were killed; how many. What cannot be dropped now stays."""

    def use(self, on: Connection, name: str) -> None:
        """The user's own, made if it is not there, and kept."""
        if not self.exists(on, name):
            self.create(on, name)
        if not self.lock(on, name):
            raise UsageError(f"another campaign is using the {self.word} {name!r}")


class LockWaits(Protocol):
    """Asks the server who waits for whom, on a connection of its own."""

    def among(self, numbers: Sequence[int]) -> Mapping[int, frozenset[int]]:
        """Session → those that it waits for, in the server's numbers; only sessions that wait."""

    def close(self) -> None: ...


class ServerDatabase(SqlDatabase[Connection]):
    """A schema of ours on a server. The subclass's constructor ends with claim_schema().

    shown: the URL without any secret. server: ours, which is closed with us; None for somebody else's.
    schema: one of the user's, which is kept; None for a new one, which is dropped in the end. count: the
    keys are spread over so many tables.
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
        self._facts: Mapping[str, str] = {}
        self._warnings: tuple[str, ...] = ()
        self._closed = False

    def describe(self) -> Mapping[str, str]:
        """_facts: the version, and settings that matter."""
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
        return Tables(kind, self._schema, self._count, quote=self.quote)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._lock_waits.close()
        try:
            if self._server is None and not self._keeps_schema:
                self.run(self.leave)
        except DatabaseUnavailable:
            pass  # the server is gone; the next campaign drops what we leave behind
        finally:
            self._control.close()
            if self._server is not None:
                self._server.close()

    def claim_schema(self) -> None:
        """Make the schema, or take the user's; and what campaigns that were killed have left is dropped."""
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
        """After the control connection was lost: what ended with it."""
        self.schemas.lock(on, self._schema)

    def leave(self, on: Connection) -> None:
        """Take what is ours from somebody else's server."""
        self.schemas.drop(on, self._schema)
