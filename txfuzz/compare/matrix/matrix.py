"""`txfuzz matrix`: databases × versions × levels × questions, as one table of outcomes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.directory.run_directory import RUNS, RunDirectory, new_path
from txfuzz.campaign.setup.adapter_choice import adapter_of_scheme
from txfuzz.campaign.workers.contract import Engine
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.common.sentences import counted, listed
from txfuzz.compare.matrix.bisect import Bisection, bisect
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.difference import Change, changes
from txfuzz.compare.matrix.job import CellSlice, MatrixJob, MatrixSlices, matrix_job, slice_of, slices_of
from txfuzz.compare.matrix.next_steps import NextStep, next_steps, texts_of
from txfuzz.compare.matrix.plan import MatrixDatabase, MatrixPlan
from txfuzz.compare.matrix.reader import default_matrix, read_matrix
from txfuzz.compare.matrix.record import MatrixRecord, read_matrix_file
from txfuzz.compare.matrix.rows import MatrixRow, narrowed, rows_of
from txfuzz.compare.matrix.table import MatrixTable, table_of
from txfuzz.errors import UsageError
from txfuzz.plugin.errors import naming_plugins
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry

_WRITTEN_EVERY = 2.0  # seconds between two states of the table's files
MINUTES = 120.0  # seconds of a matrix that nobody wrote a file for


@dataclass(frozen=True)
class Chosen:
    """What the command line narrows a matrix to; see rows.narrowed(). url: of a server that is asked in place
    of the databases of the matrix."""

    adapters: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    url: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class MatrixReport:
    """left: cells that were not reached. changes: against an earlier matrix; None if there was none."""

    table: MatrixTable
    directory: Path
    left: int
    interrupted: bool
    changes: tuple[Change, ...] | None = None
    bisection: Bisection | None = None


@dataclass(frozen=True)
class MatrixProgress:
    """A cell that is done. done, of: cells."""

    cell: MatrixCell
    done: int
    of: int


Progress = Callable[[MatrixProgress], None]


@naming_plugins()
def matrix(
    path: Path | None = None,
    chosen: Chosen = Chosen(),
    *,
    output: Path | None = None,
    resume: Path | None = None,
    against: Path | None = None,
    find: str | None = None,
    seconds: float | None = None,
    plugin_files: Sequence[Path] = (),
    workers: Workers = ONE,
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda progress: None,
    on_lost: Callable[[str], None] = lambda sentence: None,
) -> MatrixReport:
    """Ask what the file asks, or by default the scenarios of Hermitage of every database that can be started.

    output: None for a new directory under `runs/`. resume: the directory of a matrix, which goes on as it was
    set. against: the matrix.json of an earlier one. find: a question, of which only those versions are asked
    that show between which of them the answer changes. seconds: after which no cell is begun; None: the
    default where there is no file, else no limit. workers: that ask the cells, each with servers of its own,
    or a schema of its own in those that are given by URL; a bisection has one. on_lost: is told of those that
    did not end well or are no use, in a sentence.
    Raises a TxfuzzError if something cannot be asked as it is written; cells that are done are kept.
    """
    interrupted = interrupted or threading.Event()
    earlier = None if against is None else read_matrix_file(against)
    registry = load_plugins(files=plugin_files)
    if resume is not None:
        record = MatrixRecord.resume(resume)
        plan = record.plan
        rows = rows_of(plan, registry)
    else:
        plan = _plan(path, chosen, registry)
        rows = rows_of(plan, registry)
        if find is not None:
            plan, rows = _one_finding(plan, rows, find)
        record = MatrixRecord.begin(output or new_path(RUNS, f"matrix-{plan.name}"), plan)
    if seconds is None and path is None and resume is None and find is None:
        seconds = MINUTES

    texts = texts_of(plan.questions)

    def steps(cells: Sequence[MatrixCell]) -> tuple[NextStep, ...]:
        return next_steps(plan, rows, cells, record.directory, registry, plugin_files, texts=texts)

    run = _Run(record, rows, seconds, interrupted, on_progress, on_lost, steps)
    job = matrix_job(plan.seed, plan.questions, plugin_files)
    engine = workers.engine(on_lost)
    bisection = None
    with closing(RunDirectory.reopen(record.directory)):  # locks it
        try:
            if find is not None:
                bisection = _bisected(run, job, engine)
            else:
                engine.run(job, run.slices(slices_of(rows, plan.questions)))
        finally:
            left = run.write()
    found = None if earlier is None else changes(earlier.cells, run.table().cells)
    return MatrixReport(run.table(), record.directory, left, interrupted.is_set(), found, bisection)


class _Run:
    """Takes cells in, and writes the table as it grows."""

    def __init__(
        self,
        record: MatrixRecord,
        rows: Sequence[MatrixRow],
        seconds: float | None,
        interrupted: threading.Event,
        on_progress: Progress,
        on_lost: Callable[[str], None],
        steps: Callable[[Sequence[MatrixCell]], tuple[NextStep, ...]],
    ) -> None:
        self.record, self.rows, self._on_lost, self._steps = record, rows, on_lost, steps
        self._until = None if seconds is None else time.monotonic() + seconds
        self._interrupted, self._on_progress = interrupted, on_progress
        self._written = 0.0
        self._wanted = {_key(each) for each in slices_of(rows, record.plan.questions)}

    def slices(self, asked: Sequence[CellSlice]) -> MatrixSlices:
        waiting = [each for each in asked if _key(each) not in self.record.cells]
        return MatrixSlices(waiting, self.add, self.goes_on, self._on_lost)

    def add(self, cell: MatrixCell) -> None:
        self.record.add(cell)
        self._on_progress(MatrixProgress(cell, len(self.record.cells), len(self._wanted)))
        if time.monotonic() - self._written > _WRITTEN_EVERY:
            self.write()

    def goes_on(self) -> bool:
        late = self._until is not None and time.monotonic() > self._until
        return not late and not self._interrupted.is_set()

    def table(self) -> MatrixTable:
        table = table_of(self.record.plan, self.rows, self.record.cells)
        return replace(table, steps=self._steps(table.cells))

    def write(self) -> int:
        """How many cells are missing."""
        left = len(self._wanted - self.record.cells.keys())
        remarks = [f"{counted(left, 'cell was', 'cells were')} not reached."] if left else []
        self.record.write(self.table(), left, remarks)
        self._written = time.monotonic()
        return left


def _key(each: CellSlice) -> tuple[str, str, str, str]:
    return each.row.database, each.row.version, each.level, each.question.name


def _plan(path: Path | None, chosen: Chosen, registry: Registry) -> MatrixPlan:
    plan = read_matrix(path or default_matrix(), registry)
    if chosen.url is not None:
        if len(chosen.adapters) > 1:
            raise UsageError("--database-url is one server: name at most one --adapter")
        adapter = chosen.adapters[0] if chosen.adapters else adapter_of_scheme(registry, chosen.url)
        if adapter is None:
            raise UsageError("no adapter opens such a URL: name one by --adapter")
        registry.entry("adapter", adapter)
        plan = replace(plan, databases=(MatrixDatabase(adapter, adapter, url=chosen.url),))
    plan = narrowed(
        plan,
        adapters=chosen.adapters,
        versions=chosen.versions,
        levels=chosen.levels,
        questions=chosen.questions,
    )
    return plan if chosen.seed is None else replace(plan, seed=chosen.seed)


def _one_finding(
    plan: MatrixPlan, rows: Sequence[MatrixRow], find: str
) -> tuple[MatrixPlan, tuple[MatrixRow, ...]]:
    """The plan of a bisection: one question at one level of one database, of which there are versions."""
    plan = narrowed(plan, questions=[find])
    if len(plan.questions) > 1:
        names = listed((each.name for each in plan.questions), "or")
        raise UsageError(f"--bisect takes one question, and {find!r} is several: name one of {names}")
    by_database: dict[str, list[MatrixRow]] = {}
    for row in rows:
        by_database.setdefault(row.database, []).append(row)
    several = {name: found for name, found in by_database.items() if len(found) > 1}
    if not several:
        raise UsageError("--bisect needs a database of which there are at least two versions here")
    if len(several) > 1:
        raise UsageError(f"--bisect takes one database: choose one by --adapter ({listed(several, 'or')})")
    ((name, versions),) = several.items()
    levels = {level for row in versions for level in row.levels}
    if len(levels) > 1:
        raise UsageError(
            f"--bisect takes one level: choose one by --isolation ({listed(sorted(levels), 'or')})"
        )
    databases = tuple(each for each in plan.databases if each.name == name)
    return replace(plan, databases=databases), tuple(versions)


def _bisected(run: _Run, job: MatrixJob, engine: Engine) -> Bisection:
    (question,) = run.record.plan.questions
    rows = {row.version: row for row in run.rows}

    def ask(version: str) -> bool | None:
        (level,) = rows[version].levels
        slices = run.slices([slice_of(rows[version], level, question)])
        engine.run(job, slices)
        cell = run.record.cells.get((rows[version].database, version, level, question.name))
        return None if cell is None else cell.shows

    return bisect(list(rows), ask)


def summary_outcome(report: MatrixReport) -> Outcome | None:
    """Broken if any cell is; none if something could be judged; else None."""
    if report.table.count(Outcome.BROKEN):
        return Outcome.BROKEN
    return Outcome.NONE if report.table.judged else None
