"""What shows a promise that was broken in full: for each such cell a command, with its story and its SQL."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.analysis.checker.consistency import implies
from txfuzz.campaign.setup.resolve import InstalledVocabulary, adapter_of
from txfuzz.common.secrets import without_password
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.plan import SCHEDULES, TRANSACTIONS, Asks, MatrixPlan, Question
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.database.versions import StartsVersions, startable_servers
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseChoice, DatabaseSpec
from txfuzz.workload.shipped import shipped_scenarios, shipped_workloads
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.scenario.reader import read_scenario
from txfuzz.workload.yaml.scenario.writer import scenario_text
from txfuzz.workload.yaml.writer import workload_text

BROKEN = "broken"  # the directory of the copies, and of what the commands leave
_UNFIT = re.compile(r"[^\w.+-]+")
_SERIALIZABLE = "serializable"


@dataclass(frozen=True)
class NextStep:
    """command: as it is typed. copy: the file that it names and the text of that file, where the command line
    cannot say which server to start; empty otherwise. remark: what the command cannot do, a sentence.
    """

    cell: MatrixCell
    command: str
    copy: tuple[str, str] | None = None
    remark: str = ""


def next_steps(
    plan: MatrixPlan,
    rows: Sequence[MatrixRow],
    cells: Iterable[MatrixCell],
    directory: Path,
    registry: Registry,
    plugin_files: Sequence[Path] = (),
) -> tuple[NextStep, ...]:
    """One for each broken cell. directory: of the matrix, where the commands leave what they find."""
    by_place = {(row.database, row.version): row for row in rows}
    questions = {each.name: each for each in plan.questions}
    found = []
    for cell in cells:
        row, question = by_place.get((cell.database, cell.version)), questions.get(cell.question)
        if cell.outcome is Outcome.BROKEN and row is not None and question is not None:
            maker = _Maker(plan, row, question, cell, directory, registry)
            found.append(maker.step([word for each in plugin_files for word in ("--plugin-file", str(each))]))
    return tuple(found)


@dataclass(frozen=True)
class _Maker:
    plan: MatrixPlan
    row: MatrixRow
    question: Question
    cell: MatrixCell
    directory: Path
    registry: Registry

    def step(self, more: Sequence[str]) -> NextStep:
        name = _UNFIT.sub("-", " ".join(filter(None, (self.question.name, *self.cell.key[:3]))))
        place = self.directory / BROKEN / name
        plain = self._is_plain()
        copy, target = None, []
        if self.question.asks is not Asks.HUNT:
            target = [self._named()]
            if not plain:
                copy = (f"{place}.yaml", self._copied())
                target = [copy[0]]
        adapter = [] if copy else ["--adapter", self.row.adapter]
        words = [*target, *adapter, "--isolation", self.cell.level, *self._limits(), *more]
        ends = ["--output-dir", str(place)]
        command = shlex.join(["txfuzz", _COMMANDS[self.question.asks], *words, *ends]) + self._url()
        remark = ""
        if self.question.asks is Asks.HUNT and not plain:
            remark = f"by --database-url on a server like {self.cell.server or self.row.adapter}"
            remark = f"It starts the server that the adapter prefers; give another one {remark}."
        return NextStep(self.cell, command, copy, remark)

    def _is_plain(self) -> bool:
        """Whether the adapter starts this server unless told otherwise."""
        spec = next(each for each in self.plan.databases if each.name == self.row.database)
        if spec.options or self.row.url is not None:
            return not spec.options
        adapter = adapter_of(DatabaseSpec(self.row.adapter), self.registry, "the matrix")
        servers = startable_servers(adapter) if isinstance(adapter, StartsVersions) else ()
        return not self.row.options or len(servers) == 1

    def _named(self) -> str:
        """The scenario or workload as it is typed: by name if it comes with txfuzz."""
        path = Path(self.question.path)
        shipped = shipped_scenarios() if self.question.asks is Asks.SCENARIO else shipped_workloads()
        for name, file in shipped:
            if file.resolve() == path.resolve():
                return name
        near = os.path.relpath(path)
        return str(path) if near.startswith(os.pardir) else near

    def _copied(self) -> str:
        """The scenario or workload with the server that it is to run on."""
        path = Path(self.question.path)
        vocabulary = InstalledVocabulary(self.registry, path)
        spec = DatabaseSpec(self.row.adapter, self.cell.level, options=self.row.options)
        header = f"{self.question.name}, as the matrix asked it of {self.cell.server or self.row.adapter}"
        if self.question.asks is Asks.SCENARIO:
            return scenario_text(replace(read_scenario(path, vocabulary), database=spec), header)
        workload = read_workload(path, vocabulary, DatabaseChoice(self.row.adapter, self.row.url))
        spec = replace(spec, endpoints=workload.database.endpoints)
        return workload_text(replace(workload, database=spec, campaign=None, init_schema=True), header)

    def _limits(self) -> Iterator[str]:
        if self.question.asks is Asks.WORKLOAD:
            stronger = implies(self.cell.promised, _SERIALIZABLE)
            yield from ("--expect", self.cell.promised if stronger else _SERIALIZABLE)
            yield from ("--transactions", str(self.question.most or TRANSACTIONS), "--iterations", "1")
        if self.question.asks is Asks.HUNT:
            yield from ("--budget", str(self.question.most or SCHEDULES))
        if self.question.asks is not Asks.SCENARIO or self.plan.seed:
            yield from ("--seed", str(self.plan.seed))

    def _url(self) -> str:
        """Of a server that was given by URL; without a password."""
        url = self.row.url
        if url is None:
            return ""
        if url.startswith("$"):
            return f' --database-url "{url}"'
        return f" --database-url {shlex.quote(url) if without_password(url) == url else 'URL'}"


_COMMANDS = {Asks.SCENARIO: "check", Asks.WORKLOAD: "run", Asks.HUNT: "hunt"}
