"""Conformance tests for transaction templates: subclass TemplateConformance and run pytest."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Verdict
from txfuzz.errors import TxfuzzError, UsageError, WorkloadError
from txfuzz.testing.memory.adapter import MemoryAdapter
from txfuzz.testing.sessions import WRITE
from txfuzz.testing.small_run import recorded
from txfuzz.testing.subjects import KnownNames, given
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import KeyLife, Scheduling, Weight, Workload
from txfuzz.workload.template import Template
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

GUESSES: tuple[Any, ...] = ([1, 2, 3], 1)  # values for required parameters


class TemplateConformance:
    """A template can be read, written, run and judged.

        class TestMine(TemplateConformance):
            template = MY_TEMPLATE
            arguments = {"accounts": [1, 2, 3]}
            adapter = MyAdapter()         # default: the database in memory, which has no SQL
            finds = {"snapshot": "G2-item"}

    template: class attribute or fixture. arguments: its parameters. adapter, url: what it runs on.
    rows: "inserted" if its statements need existing rows. analyzers: judges of its
    histories; None for the checker. finds: level of the adapter → the type of an anomaly that it should
    find, checked against serializable.
    """

    template: Any = None
    arguments: ClassVar[Mapping[str, Any]] = {}
    adapter: Any = None
    url: ClassVar[str | None] = None
    rows: ClassVar[str] = "fresh"
    analyzers: ClassVar[tuple[Any, ...] | None] = None
    finds: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Template:
        template = given(request, "template", "filled")
        assert isinstance(template, Template), (
            f"the template is {template!r}, expected a Template of txfuzz.plugin_api"
        )
        return template

    @pytest.fixture
    def host(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "adapter", "capabilities", MemoryAdapter())

    @pytest.fixture
    def workload(self, subject: Template) -> Workload:
        """A workload of only the template, read without knowing what it will run on."""
        try:
            return parse_workload(
                self.text(subject), "template", KnownNames({("template", subject.name): subject})
            )
        except WorkloadError as error:
            pytest.fail(f"template {subject.name!r} cannot be used: {error}")

    def text(self, template: Template) -> str:
        """A workload of the template with its arguments, as YAML."""
        given = dict(self.arguments)
        for name, default in template.parameters.items():
            if default is None and name not in given:
                given[name] = self._guessed(template, name, given)
        filled = json.dumps({"template": template.name, **({"with": given} if given else {})})
        return f"version: 1\nname: conformance\nworkload:\n  transactions:\n    - {filled}\n"

    def _guessed(self, template: Template, name: str, given: Mapping[str, Any]) -> Any:
        """A value that makes it valid; other required parameters get the same."""
        others = {each: None for each, default in template.parameters.items() if default is None}
        for guess in GUESSES:
            whole = {**dict.fromkeys(others, guess), **given, name: guess}
            text = json.dumps({"template": template.name, "with": whole})
            try:
                parse_workload(
                    f"version: 1\nworkload: {{transactions: [{text}]}}",
                    "guess",
                    KnownNames({("template", template.name): template}),
                )
                return guess
            except WorkloadError:
                continue
        pytest.fail(f"the parameter {name!r} must be given: set `arguments`, as {{{name!r}: …}}")

    def test_it_says_what_it_is(self, subject: Template) -> None:
        assert subject.name == " ".join(subject.name.split()), (
            f"the name {subject.name!r} is not a plain word"
        )
        assert subject.name, "the template has an empty name"
        assert subject.about.strip(), f"template {subject.name!r} has an empty `about`"
        assert subject.steps, f"template {subject.name!r} has no steps"

    def test_it_is_data(self, subject: Template) -> None:
        try:
            json.dumps([subject.steps, dict(subject.parameters)], allow_nan=False)
        except (TypeError, ValueError) as error:
            pytest.fail(f"template {subject.name!r} is not plain data: {error}")

    def test_every_parameter_is_used(self, subject: Template) -> None:
        text = json.dumps(subject.steps)
        for name in subject.parameters:
            named = (json.dumps({"param": name}), f'"of": "{name}"', f'"each": "{name}"')
            assert any(each in text for each in named), f"no step uses the parameter {name!r}"

    def test_its_keys_resolve(self, workload: Workload) -> None:
        """Every referenced key has been chosen before, and choices that must differ can."""
        asking = TransactionGenerator(workload, Random(1), KeySpace(workload.keys, 0, lambda keys: None))
        try:
            for _ in range(100):
                asked = asking.next()
                assert asked.steps, "it generates a transaction without steps"
        except TxfuzzError as error:
            pytest.fail(str(error))
        assert workload.logical_keys(), "none of its steps chooses a key"

    def test_it_survives_yaml(self, subject: Template, workload: Workload) -> None:
        known = KnownNames({("template", subject.name): subject})
        text = workload_text(workload)
        assert parse_workload(text, "written", known) == workload, (
            f"it reads back as a different one:\n{text}"
        )

    def test_filling_it_leaves_it_as_it_is(self, subject: Template, workload: Workload) -> None:
        before = copy.deepcopy((subject.steps, dict(subject.parameters)))
        parse_workload(self.text(subject), "again", KnownNames({("template", subject.name): subject}))
        assert (subject.steps, dict(subject.parameters)) == before, "filling the template changes it"

    def test_it_refuses_a_parameter_that_it_has_not(self, subject: Template) -> None:
        with pytest.raises(UsageError, match="no parameter"):
            subject.filled({"no such parameter": 1})

    def test_it_runs_and_is_judged(self, subject: Template, workload: Workload, host: Any) -> None:
        """At the strongest level, alongside transactions that read and write the same keys."""
        self._can_run(subject, workload, host)
        level, promised = list(host.capabilities().isolation.items())[-1]
        with host.open(self.url) as database:
            summary, history, vacuous = recorded(database, self.pressed(workload), level)
        assert summary.ok, f"none of {summary.asked} transactions committed: {dict(summary.aborts)}"
        assert subject.name in history.templates, "its transactions are not in the history"
        assert vacuous is None, vacuous
        result = analyze_history(history, promised, analyzers=self.analyzers)
        assert result.verdict is Verdict.VALID, f"at {level} it is {result.verdict.value}: {result.reason}"

    def test_it_finds_what_it_is_there_to_find(
        self, subject: Template, workload: Workload, host: Any
    ) -> None:
        if not self.finds:
            pytest.skip("it has no `finds` to check: set it, such as {'snapshot': 'G2-item'}")
        self._can_run(subject, workload, host)
        for level, anomaly in self.finds.items():
            with host.open(self.url) as database:
                _, history, _ = recorded(
                    database, replace(workload, scheduling=Scheduling(8, 2000), keys=self._life()), level
                )
            found = analyze_history(history, "serializable", analyzers=self.analyzers).anomaly_types
            assert anomaly in found, f"at {level} it finds no {anomaly}, but {', '.join(found) or 'nothing'}"

    def pressed(self, workload: Workload) -> Workload:
        """The template, mixed with a companion that reads and writes one of its keys."""
        keys = workload.logical_keys()
        companion = Transaction(
            "companion", (Step("r", Choice(keys, "k")), Step(WRITE[workload.kind], Ref("k")))
        )
        (own,) = workload.transactions
        judged = self.analyzers is None  # custom analyzers check invariants that a companion would break
        return replace(
            workload,
            transactions=(own, companion) if judged else (own,),
            mix=(Weight(own.name, 3.0), Weight(companion.name, 1.0)) if judged else (Weight(own.name, 1.0),),
            scheduling=Scheduling(8, 400),
            keys=self._life(),
        )

    def _life(self) -> KeyLife:
        return KeyLife(rows=self.rows)

    def _can_run(self, subject: Template, workload: Workload, host: Any) -> None:
        """Skip if the adapter lacks a capability, naming it."""
        can = host.capabilities()
        steps = [step for each in workload.transactions for step in each.steps]
        needed = {
            "raw SQL (Capabilities.sql)": can.sql or not any(step.sql for step in steps),
            f"the dialect {subject.dialect}": subject.dialect is None or subject.dialect in can.dialects,
            "its locks (Capabilities.locks)": {step.lock for step in steps if step.lock} <= can.locks,
            f"{workload.kind.value} histories": workload.kind in can.kinds,
        }
        for what, there in needed.items():
            if not there:
                pytest.skip(f"the adapter {host.name!r} does not support {what}: set another `adapter`")
