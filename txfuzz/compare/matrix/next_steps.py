"""What shows a promise that was broken in full: for each such cell a command, with its story and its SQL."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.analysis.checker.consistency import implies
from txfuzz.campaign.setup.resolve import InstalledVocabulary, adapter_of
from txfuzz.common.secrets import without_password
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.cells.scenario_cell import run_all_at_once
from txfuzz.compare.matrix.plan import SCHEDULES, TRANSACTIONS, Asks, MatrixPlan, Question
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.database.versions import StartsVersions, startable_servers
from txfuzz.errors import TxfuzzError
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseChoice, DatabaseSpec
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.shipped import shipped_scenarios, shipped_workloads
from txfuzz.workload.yaml.reader import parse_workload, read_text
from txfuzz.workload.yaml.scenario.reader import parse_scenario
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


def texts_of(questions: Iterable[Question]) -> dict[str, str]:
    """The scenarios and workloads by their paths, as they are now. WorkloadError if one cannot be read."""
    return {each.path: read_text(Path(each.path)) for each in questions if each.path}


def next_steps(
    plan: MatrixPlan,
    rows: Sequence[MatrixRow],
    cells: Iterable[MatrixCell],
    directory: Path,
    registry: Registry,
    plugin_files: Sequence[Path] = (),
    *,
    texts: Mapping[str, str],
) -> tuple[NextStep, ...]:
    """One for each broken cell. directory: of the matrix, where the commands leave what they find. texts: of
    the scenarios and workloads as they were asked: the files may have changed since, or be gone."""
    by_place = {(row.database, row.version): row for row in rows}
    questions = {each.name: each for each in plan.questions}
    found = []
    for cell in cells:
        row, question = by_place.get((cell.database, cell.version)), questions.get(cell.question)
        if cell.outcome is Outcome.BROKEN and row is not None and question is not None:
            maker = _Maker(plan, row, question, cell, directory, registry, texts.get(question.path, ""))
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
    text: str  # of the scenario or workload

    def step(self, more: Sequence[str]) -> NextStep:
        name = _UNFIT.sub("-", " ".join(filter(None, (self.question.name, *self.cell.key[:3]))))
        place = self.directory / BROKEN / name
        plain = self._is_plain()
        copy, target, remark = None, [], ""
        server = self.cell.server or self.row.adapter
        if self.question.asks is not Asks.HUNT:
            target = [self._named()]
            if not plain:
                try:
                    copy = (f"{place}.yaml", self._copied())
                    target = [copy[0]]
                except TxfuzzError as error:  # such as of a file of statements that it names
                    remark = f"There is no copy for {server}: {error}."
        adapter = [] if copy else ["--adapter", self.row.adapter]
        words = [*target, *adapter, "--isolation", self.cell.level, *self._limits(), *more]
        ends = ["--output-dir", str(place)]
        command = shlex.join(["txfuzz", _COMMANDS[self.question.asks], *words, *ends]) + self._url()
        if not plain and copy is None:
            other = f"by --database-url on a server like {server}"
            other = f"It starts the server that the adapter prefers; give another one {other}."
            remark = f"{remark} {other}".lstrip()
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
        spec = DatabaseSpec(self.row.adapter, self.cell.level, options=self.row.options)
        header = f"{self.question.name}, as the matrix asked it of {self.cell.server or self.row.adapter}"
        if self.question.asks is Asks.SCENARIO:
            return scenario_text(replace(self._scenario(), database=spec), header)
        path = self.question.path
        vocabulary = InstalledVocabulary(self.registry, Path(path))
        choice = DatabaseChoice(self.row.adapter, self.row.url)
        workload = parse_workload(self.text, path, vocabulary, choice)
        spec = replace(spec, endpoints=workload.database.endpoints)
        return workload_text(replace(workload, database=spec, campaign=None, init_schema=True), header)

    def _scenario(self) -> Scenario:
        path = self.question.path
        return parse_scenario(self.text, path, InstalledVocabulary(self.registry, Path(path)))

    def _together(self) -> Iterator[str]:
        """The transactions that the cell ran at once, unless it ran each two, as the command does."""
        try:
            names = [each.name for each in self._scenario().transactions]
        except TxfuzzError:
            return
        if run_all_at_once(len(names)):
            yield from ("--transactions", ",".join(names))

    def _limits(self) -> Iterator[str]:
        if self.question.asks is Asks.SCENARIO:
            yield from self._together()
            if self.question.most is not None:
                yield from ("--schedules", str(self.question.most))
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
