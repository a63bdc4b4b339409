"""Transactions and their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.common.kind import Kind
from txfuzz.database.api import Capabilities
from txfuzz.database.endpoints import Endpoint
from txfuzz.transactions.model import Mode, Step, Transaction
from txfuzz.workload.sql.unrecorded_changes import check_unrecorded_changes
from txfuzz.workload.template import StepOrigin, Template, step_origins
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.keys import ChosenKeys, check_count
from txfuzz.workload.yaml.nodes import Node, Place, node_of
from txfuzz.workload.yaml.plugins import check_writes, read_at
from txfuzz.workload.yaml.raw_statements import FUNCTIONS, read_raw
from txfuzz.workload.yaml.scheduling import read_form, read_level, read_lock

_ELSEWHERE = {"weight": "weights stand in the workload's `mix: [{txn: NAME, weight: N}]`"}
MODE = ("isolation", "read_only", "deferrable")
_KIND_OF = {"append": Kind.LIST_APPEND, "w": Kind.RW_REGISTER}


class TransactionsReader:
    """Reads the transactions of one workload.

    capabilities: of the adapter; None while the database is not known. endpoints: of the workload.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | None,
        adapter: str,
        capabilities: Capabilities | None,
        endpoints: Sequence[Endpoint] = (),
    ) -> None:
        self._vocabulary = vocabulary
        self._adapter = adapter
        self._capabilities = capabilities
        self._endpoints = endpoints
        self._written: tuple[str, Place] | None = None
        self._ours: Place | None = None  # of the first micro-operation on {table}
        self._theirs: Place | None = None  # of the first one on a table of the workload's own

    def read(self, node: Node) -> tuple[Transaction, ...]:
        items = node.items("a list of transactions")
        if not items:
            raise node.place.error("found no transaction", "at least one")
        found: dict[str, Transaction] = {}
        for item in items:
            transaction, place = self._transaction(item)
            if transaction.name in found:
                raise place.error(f"found the duplicate transaction {transaction.name!r}", "a different name")
            found[transaction.name] = transaction
        check_count(tuple(found.values()), node)
        return tuple(found.values())

    def _transaction(self, node: Node) -> tuple[Transaction, Place]:
        """The transaction and the place of its name."""
        if "template" in node.mapping("a transaction: a mapping with name and steps, or with template"):
            return self._from_template(node)
        fields = node.fields(
            "a transaction", ("name", "steps", "template", "with", "at", *MODE), ("name", "steps"), _ELSEWHERE
        )
        if "with" in fields:
            raise fields["with"].name_place.error(
                "found `with` in a transaction", "a `template` to apply it to"
            )
        name = fields["name"].text("the name of a transaction")
        steps = self._steps(fields["steps"])
        return self._placed(name, steps, fields), fields["name"].place

    def _from_template(self, node: Node) -> tuple[Transaction, Place]:
        fields = node.fields(
            "a transaction from a template", ("template", "with", "name", "at", *MODE), (), _ELSEWHERE
        )
        named = fields["template"]
        word = named.text("the name of a template")
        if self._vocabulary is None:
            raise named.place.error(f"found the template {word!r}", "steps: templates are not available here")
        with named.place.added_to_errors():
            template: Template = self._vocabulary.find("template", word)
        self._check_dialect(template, named)
        given: Mapping[str, Any] = {}
        if "with" in fields:
            fields["with"].mapping("the parameters of the template, as a mapping")
            given = fields["with"].plain()
        filled_at = fields["with"].place if "with" in fields else named.place
        with filled_at.added_to_errors():
            filled = template.filled(given)
        steps = _filled_steps(word, filled, step_origins(template, given), named, fields.get("with"))
        name_node = fields.get("name", named)
        name = name_node.text("the name of a transaction")
        return self._placed(name, self._steps(steps), fields), name_node.place

    def _placed(self, name: str, steps: tuple[Step, ...], fields: Mapping[str, Node]) -> Transaction:
        """The transaction, with how and where it begins."""
        mode = read_mode(fields, self._adapter, self._capabilities)
        if "at" not in fields:
            return Transaction(name, steps, mode)
        made = Transaction(name, steps, replace(mode, at=read_at(fields["at"], self._endpoints)))
        check_writes(fields["at"], made, self._endpoints)
        return made

    def _steps(self, node: Node) -> tuple[Step, ...]:
        items = node.items("a list of steps")
        if not items:
            raise node.place.error("found a transaction without steps", "at least one")
        chosen = ChosenKeys()
        steps = [self._step(item, chosen) for item in items]
        check_unrecorded_changes(steps)
        return tuple(step for step, _ in steps)

    def _step(self, node: Node, chosen: ChosenKeys) -> tuple[Step, Place]:
        """The step and the place of its statement or f."""
        fields = node.mapping("a step: a mapping with f and key, or with sql")
        if "sql" in fields:
            self._check_sql(fields["sql"])
            step, written_at = read_raw(node, chosen)
            if step.on_error:
                self._check_savepoints(fields["on_error"])
            place = fields["sql"].place
        else:
            step, written_at = self._own(node, chosen)
            place = written_at
        if step.f is not None:
            self._check_one_kind_of_table(step, written_at)
        for f in dict.fromkeys(each.f for each in step.micro_operations if each.writes):
            self._check_write(f, written_at)
        return step, place

    def _check_one_kind_of_table(self, step: Step, place: Place) -> None:
        """{table} has physical keys, other tables have logical ones: the two must not be mixed."""
        if step.own_table:
            self._theirs = self._theirs or place
        else:
            self._ours = self._ours or place
        if self._ours is not None and self._theirs is not None:
            other = self._ours if step.own_table else self._theirs
            here, there = "{table}", "one of the workload's own tables"
            if step.own_table:
                here, there = there, here
            raise place.error(
                f"found a micro-operation on {here}, after one on {there} on line {other.line}",
                "micro-operations on one kind of table",
            )

    def _own(self, node: Node, chosen: ChosenKeys) -> tuple[Step, Place]:
        fields = node.fields("a step", ("f", "key", "lock", "form", "sql"))
        if "f" not in fields:
            raise node.place.error("found a step without f", "f (r, append or w) and key, or sql")
        f = fields["f"].one_of("what the step does", FUNCTIONS)
        if "key" not in fields:
            raise node.place.error("found a step without the field 'key'")
        lock = self._lock(fields["lock"], f) if "lock" in fields else None
        form = read_form(fields["form"], f, self._adapter, self._capabilities) if "form" in fields else None
        key = chosen.read_argument(fields["key"])
        return Step(f, key, lock, form=form), fields["f"].place

    # -- what the database can do -------------------------------------------------------------

    def _lock(self, node: Node, f: str) -> str:
        if f != "r":
            raise node.name_place.error(f"found `lock` with f: {f}", "`lock` on reads only")
        return read_lock(node, self._adapter, self._capabilities)

    def _check_sql(self, node: Node) -> None:
        if self._capabilities is not None and not self._capabilities.sql:
            raise node.name_place.error(
                "found a raw SQL step", f"steps with f: adapter {self._adapter!r} does not accept raw SQL"
            )

    def _check_savepoints(self, node: Node) -> None:
        if self._capabilities is not None and not self._capabilities.savepoints:
            raise node.name_place.error(
                "found `on_error`", f"none: adapter {self._adapter!r} cannot continue after an error"
            )

    def _check_dialect(self, template: Template, named: Node) -> None:
        if template.dialect is None or self._capabilities is None:
            return
        known = self._capabilities.dialects
        if template.dialect not in known:
            has = ", ".join(sorted(known)) or "none"
            raise named.place.error(
                f"found the template {template.name!r}, which is written for {template.dialect}",
                f"one that adapter {self._adapter!r} understands (dialects: {has})",
            )

    def _check_write(self, f: str, place: Place) -> None:
        if self._written is None:
            kinds = self._capabilities.kinds if self._capabilities else frozenset(Kind)
            if _KIND_OF[f] not in kinds:
                possible = ", ".join(sorted(kind.value for kind in kinds))
                raise place.error(
                    f"found the micro-operation {f!r}, which needs {_KIND_OF[f].value} histories",
                    f"what adapter {self._adapter!r} can record ({possible})",
                )
            self._written = f, place
        elif self._written[0] != f:
            other, first = self._written
            raise place.error(
                f"found {f!r} in a workload that has {other!r} on line {first.line}",
                "lists (append) or registers (w), not both",
            )


def read_mode(fields: Mapping[str, Node], adapter: str, capabilities: Capabilities | None) -> Mode:
    """How a transaction with these fields begins; see TransactionsReader."""
    isolation = None
    if "isolation" in fields:
        isolation = read_level(fields["isolation"], adapter, capabilities)
    asked = {name: fields[name].boolean(name) for name in MODE[1:] if name in fields}
    for name, wanted in asked.items():
        if wanted and capabilities is not None and name not in capabilities.modes:
            raise fields[name].name_place.error(
                f"found `{name}`", f"no such mode: adapter {adapter!r} does not support it"
            )
    return Mode(isolation, asked.get("read_only", False), asked.get("deferrable", False))


def _filled_steps(
    template: str, filled: Sequence[Any], origins: Sequence[StepOrigin], named: Node, given: Node | None
) -> Node:
    """The filled steps of a template, whose places say which step or which parameter is meant.

    named: the name of the template, the place of what it wrote itself. given: the parameters in the
    workload, the places of what they replace.
    """
    values = given.value if given is not None and isinstance(given.value, Mapping) else {}
    whole = replace(named.place, inside=f"template {template!r}")
    if len(filled) != len(origins):  # filled in its own way
        return node_of(filled, whole)
    return Node(
        whole,
        tuple(
            _FilledStep(template, origin, named.place, values).node(origin.step, step)
            for origin, step in zip(origins, filled, strict=True)
        ),
    )


class _FilledStep:
    """One of them as nodes."""

    def __init__(self, template: str, origin: StepOrigin, named: Place, given: Mapping[str, Node]) -> None:
        self._template = template
        self._origin = origin
        self._named = named
        self._given = given
        self._place = replace(named, inside=f"step {origin.number} of template {template!r}")

    def node(self, written: Any, filled: Any) -> Node:
        """What was filled in for what the template has there."""
        name = self._origin.parameter(written)
        if name is not None:
            return node_of(filled, self._place_of(name))
        if isinstance(written, Mapping) and isinstance(filled, Mapping):
            node_of(dict.fromkeys(filled), self._place)  # checks the names
            return Node(
                self._place, {str(key): self.node(written.get(key), value) for key, value in filled.items()}
            )
        lists = isinstance(written, list | tuple) and isinstance(filled, list | tuple)
        if lists and len(written) == len(filled):
            pairs = zip(written, filled, strict=True)
            return Node(self._place, tuple(self.node(one, other) for one, other in pairs))
        return node_of(filled, self._place)

    def _place_of(self, parameter: str) -> Place:
        """Of its value in the workload, or of the template if that has a default."""
        told = f"parameter {parameter!r} of template {self._template!r} (in its step {self._origin.number})"
        if parameter in self._given:
            return replace(self._given[parameter].place, inside=told)
        return replace(self._named, inside=f"the default of {told}")
