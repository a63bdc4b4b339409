"""Transactions and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txfuzz.database.port import Capabilities
from txfuzz.errors import did_you_mean
from txfuzz.kind import Kind
from txfuzz.workload.model import Step, Transaction
from txfuzz.workload.nodes import Node, Place, node_of
from txfuzz.workload.reading_keys import Chosen, check_count
from txfuzz.workload.reading_sql import read_raw
from txfuzz.workload.template import Template
from txfuzz.workload.vocabulary import Vocabulary

FUNCTIONS = ("r", "append", "w")
_KIND_OF = {"append": Kind.LIST_APPEND, "w": Kind.RW_REGISTER}


class Transactions:
    """Reads the transactions of one workload.

    capabilities: what they may ask for; None where nobody knows yet which database it will be.
    """

    def __init__(self, vocabulary: Vocabulary, adapter: str, capabilities: Capabilities | None) -> None:
        self._vocabulary = vocabulary
        self._adapter = adapter
        self._capabilities = capabilities
        self._written: tuple[str, Place] | None = None

    def read(self, node: Node) -> tuple[Transaction, ...]:
        items = node.items("a list of transactions")
        if not items:
            raise node.place.error("found no transaction", "at least one")
        found: dict[str, Transaction] = {}
        for item in items:
            transaction, place = self._transaction(item)
            if transaction.name in found:
                raise place.error(f"found a second transaction {transaction.name!r}", "another name")
            found[transaction.name] = transaction
        check_count(tuple(found.values()), node)
        return tuple(found.values())

    def _transaction(self, node: Node) -> tuple[Transaction, Place]:
        """The transaction, and where its name stands."""
        if "template" in node.mapping("a transaction: a mapping with name and steps, or with template"):
            return self._from_template(node)
        fields = node.fields("a transaction", ("name", "steps", "template", "with"), ("name", "steps"))
        if "with" in fields:
            raise fields["with"].name_place.error(
                "found `with` in a transaction", "a `template` that it fills"
            )
        name = fields["name"].text("the name of a transaction")
        return Transaction(name, self._steps(fields["steps"])), fields["name"].place

    def _from_template(self, node: Node) -> tuple[Transaction, Place]:
        fields = node.fields("a transaction from a template", ("template", "with", "name"))
        named = fields["template"]
        word = named.text("the name of a template")
        with named.place.complaining():
            template: Template = self._vocabulary.find("template", word)
        self._check_dialect(template, named)
        given: Mapping[str, Any] = {}
        if "with" in fields:
            fields["with"].mapping("the parameters of the template, as a mapping")
            given = fields["with"].plain()
        filled_at = fields["with"].place if "with" in fields else named.place
        with filled_at.complaining():
            filled = template.filled(given)
        inside = Place(named.place.source, named.place.line, named.place.column, f"template {word!r}")
        name_node = fields.get("name", named)
        name = name_node.text("the name of a transaction")
        return Transaction(name, self._steps(node_of(filled, inside))), name_node.place

    def _steps(self, node: Node) -> tuple[Step, ...]:
        items = node.items("a list of steps")
        if not items:
            raise node.place.error("found a transaction of no steps", "at least one")
        chosen = Chosen()
        return tuple(self._step(item, chosen) for item in items)

    def _step(self, node: Node, chosen: Chosen) -> Step:
        fields = node.mapping("a step: a mapping with f and key, or with sql")
        if "sql" in fields:
            self._check_sql(fields["sql"])
            step, written_at = read_raw(node, chosen)
        else:
            step, written_at = self._own(node, chosen)
        if step.writes:
            assert step.f is not None
            self._check_write(step.f, written_at)
        return step

    def _own(self, node: Node, chosen: Chosen) -> tuple[Step, Place]:
        fields = node.fields("a step", ("f", "key", "lock", "sql"))
        if "f" not in fields:
            raise node.place.error("found a step without f", "f (r, append or w) and key, or sql")
        f = fields["f"].one_of("what the step does", FUNCTIONS)
        if "key" not in fields:
            raise node.place.error("found a step without the field 'key'")
        lock = self._lock(fields["lock"], f) if "lock" in fields else None
        return Step(f, chosen.read_key(fields["key"]), lock), fields["f"].place

    # -- what the database can do -------------------------------------------------------------

    def _lock(self, node: Node, f: str) -> str:
        if f != "r":
            raise node.name_place.error(f"found `lock` on a step that is no read but {f}", "it on reads only")
        word = node.text("the word for a lock")
        if self._capabilities is None:
            return word
        locks = self._capabilities.locks
        if not locks:
            raise node.place.error(
                f"found {word!r}", f"no lock: adapter {self._adapter!r} has no locking reads"
            )
        if word not in locks:
            raise node.place.error(
                f"found {word!r}", f"a lock that adapter {self._adapter!r} has", did_you_mean(word, locks)
            )
        return word

    def _check_sql(self, node: Node) -> None:
        if self._capabilities is not None and not self._capabilities.sql:
            raise node.name_place.error(
                "found a raw SQL step", f"steps with f: adapter {self._adapter!r} takes no raw SQL"
            )

    def _check_dialect(self, template: Template, named: Node) -> None:
        if template.dialect is None or self._capabilities is None:
            return
        known = self._capabilities.dialects
        if template.dialect not in known:
            has = ", ".join(sorted(known)) or "none"
            raise named.place.error(
                f"found the template {template.name!r}, whose SQL is that of {template.dialect}",
                f"one that adapter {self._adapter!r} understands (dialects: {has})",
            )

    def _check_write(self, f: str, place: Place) -> None:
        if self._written is None:
            kinds = self._capabilities.kinds if self._capabilities else frozenset(Kind)
            if _KIND_OF[f] not in kinds:
                possible = ", ".join(sorted(kind.value for kind in kinds))
                raise place.error(
                    f"found the micro-operation {f!r}, which makes a {_KIND_OF[f].value} history",
                    f"what adapter {self._adapter!r} can record: {possible}",
                )
            self._written = f, place
        elif self._written[0] != f:
            other, first = self._written
            raise place.error(
                f"found {f!r} in a workload that has {other!r} in line {first.line}",
                "lists (append) or registers (w), not both",
            )
