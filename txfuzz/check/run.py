"""A program at one isolation level: its schedules, one after the other, each judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from txfuzz.check.contract import Call, CheckedInvariant, RunsCode
from txfuzz.check.program import Program
from txfuzz.check.scheduler import Trace, run_schedule
from txfuzz.check.search import ScheduleSearch
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.judge import Order, SerialAnswer, SerialJudge, SerialJudgement, SerialRunFailed
from txfuzz.check.serial.outcome import CallOutcome, ProgramOutcome
from txfuzz.common.closeable import Closeable
from txfuzz.database.scenario import Rows, ScenarioSession, ScenarioTables

SECONDS = 10.0  # of one schedule


@dataclass(frozen=True)
class FollowedSchedule:
    """One schedule that was followed, and what came of it. broken: invariants → the rows that break them."""

    program: Program
    isolation: str
    trace: Trace
    outcome: ProgramOutcome
    judgement: SerialJudgement
    broken: Mapping[str, Rows] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        return self.judgement.answer is SerialAnswer.UNEXPLAINED or bool(self.broken)


@dataclass(frozen=True)
class ProgramResult:
    """What the schedules of one program came to at one level.

    failing: the attempts that no order explains or that break an invariant, those with fewest switches
    first. aborted: code → in how many schedules. reason: why schedules could not be judged.
    """

    program: Program
    isolation: str
    schedules: int
    failing: tuple[FollowedSchedule, ...]
    explained: int
    unknown: int
    waited: int
    aborted: Mapping[str, int]
    complete: bool
    reason: str = ""


class ProgramRunner(Closeable):
    """Runs programs on the tables of a scenario. serial_level: at which the serial orders are run.
    seconds: of one schedule."""

    def __init__(
        self,
        tables: ScenarioTables,
        invariants: Sequence[CheckedInvariant] = (),
        *,
        ignored: frozenset[str] = frozenset(),
        serial_level: str,
        seconds: float = SECONDS,
    ) -> None:
        self._tables, self._invariants = tables, tuple(invariants)
        self._serial_level, self._seconds = serial_level, seconds
        self._sessions: list[ScenarioSession] = []
        self._judges: dict[int, tuple[Program, SerialJudge]] = {}
        facts = tables.facts()
        known: dict[str, frozenset[object]] = {}
        tables.reset()
        for place, column in facts.generated.items():
            table, name = place.split(".", 1)
            rows = tables.tables()[table]
            at = rows.columns.index(name)
            known[column] = known.get(column, frozenset()) | {row[at] for row in rows.rows}
        self._masks = Masks(facts.clocks | ignored, facts.generated, known)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions = []

    def check(
        self,
        program: Program,
        isolation: str,
        *,
        most: int | None = None,
        each: Callable[[FollowedSchedule], bool] = lambda _: True,
    ) -> ProgramResult:
        """Every schedule of the program at this level, or the first `most`.

        each: is told of every schedule, and ends the search by False.
        """
        attempts: list[FollowedSchedule] = []
        counts: Counter[str] = Counter()
        aborted: Counter[str] = Counter()
        reason = ""
        search = ScheduleSearch(most=most)
        for schedule in search:
            attempt = self.follow(program, isolation, schedule)
            search.followed(schedule, attempt.trace)
            counts["all"] += 1
            counts[attempt.judgement.answer.value] += 1
            counts["waited"] += any(step.waited for step in attempt.trace.steps)
            ended = attempt.outcome.transactions.values()
            aborted.update({code for each in ended for code in (each.code, *each.retried) if code})
            reason = reason or attempt.judgement.reason
            if attempt.fails:
                attempts.append(attempt)
            if not each(attempt):
                break
        return ProgramResult(
            program,
            isolation,
            counts["all"],
            tuple(attempts),
            counts["explained"],
            counts["unknown"],
            counts["waited"],
            aborted,
            search.exhausted,
            reason,
        )

    def follow(self, program: Program, isolation: str, schedule: Sequence[str]) -> FollowedSchedule:
        """One schedule from the rows of the setup."""
        trace, outcome = self._run(program.bound(isolation), schedule)
        if trace.stuck:
            return FollowedSchedule(
                program, isolation, trace, outcome, SerialJudgement(SerialAnswer.UNKNOWN, reason=trace.stuck)
            )
        broken = {each.name: rows for each, rows in self._ask_invariants() if rows.rows}
        return FollowedSchedule(
            program, isolation, trace, outcome, self._judge(program).judge(outcome), broken
        )

    def _ask_invariants(self) -> Iterator[tuple[CheckedInvariant, Rows]]:
        for each in self._invariants:
            yield each, each.rows(self._tables)

    def _judge(self, program: Program) -> SerialJudge:
        known = self._judges.get(id(program))
        if known is None:
            judge = SerialJudge(lambda order: self._serially(program, order), self._masks)
            known = self._judges[id(program)] = (program, judge)
        return known[1]

    def _serially(self, program: Program, order: Order) -> ProgramOutcome:
        bound = {each.label: each for each in program.bound(self._serial_level)}
        chosen = [bound[label].at(self._serial_level) for label in order]
        # An entry for each point that one could come to: who is first runs to its end, then the next one
        schedule = [each.label for each in chosen for _ in range(each.points)]
        trace, outcome = self._run(chosen, schedule)
        if trace.stuck:
            raise SerialRunFailed(trace.stuck)
        return outcome

    def _run(self, bound: Sequence[Call], schedule: Sequence[str]) -> tuple[Trace, ProgramOutcome]:
        self._tables.reset()
        while len(self._sessions) < len(bound):
            self._sessions.append(self._tables.session())
        sessions = {each.label: session for each, session in zip(bound, self._sessions, strict=False)}

        def waits(labels: Sequence[str]) -> Mapping[str, frozenset[str]]:
            found = self._tables.waiting([sessions[label] for label in labels])
            return {labels[at]: frozenset(labels[other] for other in others) for at, others in found.items()}

        trace = run_schedule(
            {each.label: each.body(sessions[each.label], self._tables.retried) for each in bound},
            schedule,
            waits,
            seconds=self._seconds,
            cancel=lambda label: sessions[label].cancel(),
            where=lambda label: _where(sessions[label]),
        )
        ended = {}
        for label, each in trace.ended.items():
            if isinstance(each.value, CallOutcome):
                ended[label] = each.value
            elif not trace.stuck and each.error is not None:
                raise each.error
        if trace.stuck:
            self.close()  # what was cancelled or left behind is not used again
            return trace, ProgramOutcome(ended)
        return trace, ProgramOutcome({each.label: ended[each.label] for each in bound}, self._tables.tables())


def _where(session: ScenarioSession) -> str:
    return session.where() if isinstance(session, RunsCode) else ""
