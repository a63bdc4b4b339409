"""What is safe at which level: the claims of the tests of examples/ and of docs/how-to/examples.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = (
    "read uncommitted", "read committed", "repeatable read", "serializable"
)  # fmt: skip
POSTGRES = (READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE)
MARIADB = (READ_UNCOMMITTED, *POSTGRES)
SQLITE = (SERIALIZABLE,)

UNEXPLAINED = "an outcome that no serial order gives"
BROKEN = "a broken invariant"
BOTH = frozenset({UNEXPLAINED, BROKEN})
LOST_UPDATE, WRITE_SKEW = (READ_COMMITTED,), (READ_COMMITTED, REPEATABLE_READ)
BELOW_SERIALIZABLE = (READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ)


@dataclass(frozen=True)
class Example:
    """One form of an example, in examples/FOLDER/FORM.yaml and FORM.py.

    postgres, mariadb: the levels at which it breaks; at all others it is safe. mariadb None: what it is made
    of does not exist there. sqlite: it exists there, and is safe. yaml, python: how it breaks, in this
    language; empty where there is no such file.
    """

    folder: str
    form: str
    postgres: tuple[str, ...] = ()
    mariadb: tuple[str, ...] | None = ()
    sqlite: bool = True
    yaml: frozenset[str] = BOTH
    python: frozenset[str] = BOTH

    @property
    def safe(self) -> tuple[str, ...]:
        return tuple(level for level in POSTGRES if level not in self.postgres)

    def file(self, kind: str) -> Path:
        return EXAMPLES / self.folder / f"{self.form}.{kind}"

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.file("yaml"), self.file("py")) if path.exists())

    def kinds(self, path: Path) -> frozenset[str]:
        return self.yaml if path.suffix == ".yaml" else self.python


_NONE: frozenset[str] = frozenset()
_ORDER = frozenset({UNEXPLAINED})  # there is no invariant

CLAIMS = (
    Example("seat_booking", "broken", LOST_UPDATE, BELOW_SERIALIZABLE, yaml=_ORDER, python=_ORDER),
    Example("seat_booking", "fixed"),
    Example("withdraw", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("withdraw", "fixed"),
    Example("username", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("username", "fixed"),
    Example("get_or_create", "broken", WRITE_SKEW, None, sqlite=False, yaml=frozenset({BROKEN})),
    Example("get_or_create", "fixed", mariadb=None, sqlite=False),
    Example("job_queue", "broken", LOST_UPDATE, BELOW_SERIALIZABLE, python=_ORDER),
    Example("job_queue", "fixed", sqlite=False),
    Example("doctors_on_call", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("doctors_on_call", "fixed", sqlite=False),
    Example("optimistic_locking", "broken", LOST_UPDATE, BELOW_SERIALIZABLE, yaml=_ORDER, python=_ORDER),
    Example("optimistic_locking", "fixed"),
    Example("coupon", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("coupon", "fixed"),
    Example("foreign_key", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("foreign_key", "fixed"),
    Example("flat_booking", "broken", WRITE_SKEW, BELOW_SERIALIZABLE),
    Example("flat_booking", "locked", (REPEATABLE_READ,), sqlite=False, python=_NONE),
    Example("flat_booking", "fixed", mariadb=None, sqlite=False),
    Example("sqlalchemy_app", "broken", LOST_UPDATE, None, sqlite=False, yaml=_NONE),
    Example("sqlalchemy_app", "fixed", mariadb=None, sqlite=False, yaml=_NONE),
    Example("django_app", "broken", LOST_UPDATE, None, sqlite=False, yaml=_NONE),
    Example("django_app", "fixed", mariadb=None, sqlite=False, yaml=_NONE),
)
