"""A program at one isolation level: its schedules, one after the other, each judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import comb

from txfuzz.check.attempt import Attempts
from txfuzz.check.contract import Call, CheckedInvariant
from txfuzz.check.program import Program
from txfuzz.check.real_time import real_time_order
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.search import ScheduleSearch
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.judge import (
    Order,
    SerialAnswer,
    SerialJudge,
    SerialJudgement,
    SerialRunFailed,
    Variation,
)
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.check.serial.stability import alike, differing_columns, numbered, unordered
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import (
    MovesNumbers,
    ReversesRows,
    Rows,
    ScenarioTables,
    SeesAccesses,
)
from txfuzz.errors import DatabaseUnavailable

SECONDS = 5.0  # of one schedule
ALL_OF = 200  # schedules of a program that are followed before commuting steps are looked for
RUNS_AGAIN = 3  # of a failing schedule, all of which must fail
_MOST_STUCK = 2  # of these, which are run again
_MOST_FAILING = 1_000  # of one program and level, that are kept in full


@dataclass(frozen=True)
class FollowedSchedule:
    """One schedule that was followed, and what came of it. broken: invariants → the rows that break them.

    failed_again: how often it failed when it was followed again, of how many times; (0, 0) if it was not.
    """

    program: Program
    isolation: str
    trace: Trace
    outcome: ProgramOutcome
    judgement: SerialJudgement
    broken: Mapping[str, Rows] = field(default_factory=dict)
    failed_again: tuple[int, int] = (0, 0)

    @property
    def fails(self) -> bool:
        return self.judgement.answer is SerialAnswer.UNEXPLAINED or bool(self.broken)

    def in_doubt(self, reason: str) -> FollowedSchedule:
        """The same, of which no serial order says anything."""
        return replace(self, judgement=SerialJudgement(SerialAnswer.UNKNOWN, reason=reason))


@dataclass(frozen=True)
class ProgramResult:
    """What the schedules of one program came to at one level.

    failing: the attempts that no order explains or that break an invariant, each of which has failed again,
    those with fewest switches first; `failed` is their number, should there be too many to keep. aborted:
    code → in how many schedules. complete: whether every schedule was followed, or another one that can
    have no other outcome. reason: why schedules could not be judged.
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
    failed: int = 0


class ProgramRunner(Closeable):
    """Runs programs on the tables of a scenario. serial_level: at which the serial orders are run.
    real_time: an order must respect which transactions had ended when others began. seconds: of one
    schedule."""

    def __init__(
        self,
        tables: ScenarioTables,
        invariants: Sequence[CheckedInvariant] = (),
        *,
        ignored: frozenset[str] = frozenset(),
        serial_level: str,
        seconds: float = SECONDS,
        real_time: bool = False,
    ) -> None:
        self._tables, self._invariants = tables, tuple(invariants)
        self._serial_level, self._real_time = serial_level, real_time
        self._attempts = Attempts(tables, seconds)
        # The second judge of a program is for what the first one finds unexplained
        self._judges: dict[int, tuple[Program, SerialJudge, SerialJudge]] = {}
        self._confirmed: dict[tuple[object, ...], FollowedSchedule] = {}
        self._doubts: dict[tuple[int, frozenset[str]], str] = {}
        self._numbers_told: set[tuple[int, frozenset[str]]] = set()
        self._names: dict[str, str] = {}  # of transactions, by their labels
        facts = tables.facts()
        known: dict[str, frozenset[object]] = {}
        tables.reset()
        for place, column in facts.generated.items():
            table, name = place.split(".", 1)
            rows = tables.tables()[table]
            at = rows.columns.index(name)
            known[column] = known.get(column, frozenset()) | {row[at] for row in rows.rows}
        self._masks = self._given = Masks(facts.clocks | ignored, facts.generated, known)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was found to be no evidence while schedules ran, in words: filled by a clock, by chance or
        with the number of a sequence."""
        columns = sorted(self._masks.ignored - self._given.ignored)
        values = {
            f"{'.'.join(each for each in path if each) or 'all'} of what {self._names[label]} returned"
            for label, path in self._masks.values
        }
        return (*columns, *sorted(values))

    def _leave_out(self, masks: Masks) -> None:
        self._masks = masks
        for _, *judges in self._judges.values():
            for judge in judges:
                judge.masks = masks

    def close(self) -> None:
        self._attempts.close()

    def check(
        self,
        program: Program,
        isolation: str,
        *,
        most: int | None = None,
        each: Callable[[FollowedSchedule], bool] = lambda _: True,
        all_of: int | None = ALL_OF,
        search: ScheduleSearch | None = None,
    ) -> ProgramResult:
        """Every schedule of the program at this level, or the first `most`, up to one that gets stuck.

        each: is told of every schedule, and ends the search by False. all_of: so many are followed before
        those are left out that differ from another one only in the order of steps that do not conflict,
        where the database tells of that; None: no schedule is left out. search: of an earlier call that was
        ended, to go on from there.
        """
        failing: list[FollowedSchedule] = []
        counts: Counter[str] = Counter()
        aborted: Counter[str] = Counter()
        reason = ""
        asks = all_of is not None and self._tells_accesses(program, isolation, all_of)
        search = search or self.search(most, all_of)
        for schedule in search:
            attempt = self._follow(program, isolation, schedule, self._judge(program), asks=asks)
            search.followed(schedule, attempt.trace)
            if attempt.fails:
                attempt = self.confirm(attempt)
            counts["all"] += 1
            counts["failing" if attempt.fails else attempt.judgement.answer.value] += 1
            counts["waited"] += any(step.waited for step in attempt.trace.steps)
            ended = attempt.outcome.transactions.values()
            aborted.update({code for each in ended for code in (each.code, *each.retried) if code})
            reason = reason or attempt.judgement.reason
            if attempt.fails and len(failing) < _MOST_FAILING:
                failing.append(attempt)
            if not each(attempt):
                break
            if attempt.trace.stuck:
                break  # the next ones would take as long
        # What only later schedules have shown to be chance was chance before
        kept = [self._without_doubtful(attempt) for attempt in failing]
        doubtful = sum(not attempt.fails for attempt in kept)
        return ProgramResult(
            program,
            isolation,
            counts["all"],
            tuple(attempt for attempt in kept if attempt.fails),
            counts["explained"],
            counts["unknown"] + doubtful,
            counts["waited"],
            aborted,
            search.exhausted,
            reason,
            counts["failing"] - doubtful,
        )

    def search(self, most: int | None = None, all_of: int | None = ALL_OF) -> ScheduleSearch:
        return ScheduleSearch(most=most, all_of=all_of or 0, real_time=self._real_time)

    def follow(self, program: Program, isolation: str, schedule: Sequence[str]) -> FollowedSchedule:
        """One schedule from the rows of the setup, which is not followed again if it fails; see confirm()."""
        return self._follow(program, isolation, schedule, self._judge(program))

    def confirm(self, attempt: FollowedSchedule) -> FollowedSchedule:
        """A failing schedule is followed again, and judged by serial orders that are run anew.

        What does not fail each time, or what chance, a clock or the order of stored rows can have done, is
        unknown. Of schedules with the same outcome one is followed again.
        """
        program = attempt.program
        if not attempt.fails:
            return attempt
        if attempt.judgement.answer is SerialAnswer.UNEXPLAINED and self._tells_numbers(attempt):
            return self.confirm(self._judged_anew(attempt))
        masks = self._masks
        # A judge gives the same object for the same outcome; those that are kept keep it alive
        key = (id(program), attempt.isolation, id(attempt.judgement), *sorted(attempt.broken))
        known = self._confirmed.get(key)
        if known is not None:
            return self._without_doubtful(replace(attempt, failed_again=known.failed_again))
        again = self._fails_again(attempt)
        attempt = replace(attempt, failed_again=(again, RUNS_AGAIN))
        if self._masks is masks and again < RUNS_AGAIN:
            reason = f"the same schedule failed in {again} of {RUNS_AGAIN} more runs"
            return replace(attempt.in_doubt(reason), broken={})
        if attempt.judgement.answer is SerialAnswer.UNEXPLAINED:
            labels = frozenset(attempt.outcome.ended(Ending.COMMITTED))
            first, second = self._judge(program), self._judge(program, second=True)
            doubt = (id(program), labels)
            if doubt not in self._doubts:
                self._doubts[doubt] = second.doubt(labels, first)
            self._doubts[doubt] = self._doubts[doubt] or first.doubt_now(attempt.judgement.order)
        if self._masks is not masks:
            return self.confirm(self._judged_anew(attempt))
        self._confirmed[key] = attempt
        return self._without_doubtful(attempt)

    def _tells_numbers(self, attempt: FollowedSchedule) -> bool:
        """Has another column been found, and left out, that tells the number of a sequence in other words?

        A rollback does not take these numbers back, and no order of transactions settles them.
        """
        program, order = attempt.program, attempt.judgement.order
        key = (id(program), frozenset(order))
        tables = self._tables
        if key in self._numbers_told or not isinstance(tables, MovesNumbers) or not tables.moves_numbers:
            return False
        self._numbers_told.add(key)
        try:
            plain, again = (self._serially(program, order) for _ in range(2))
            moved = self._serially(program, order, reset=tables.reset_numbers_moved)
        except SerialRunFailed:
            return False
        if not alike(plain, again, self._masks):
            return False  # it is a clock or chance that tells them apart
        found = differing_columns(moved, plain, order, self._masks)
        if found:
            self._leave_out(replace(self._masks, ignored=self._masks.ignored | found))
        return bool(found)

    def _judged_anew(self, attempt: FollowedSchedule) -> FollowedSchedule:
        """Where less counts than did then."""
        before = self._before(attempt.program, attempt.trace, attempt.outcome)
        return replace(attempt, judgement=self._judge(attempt.program).judge(attempt.outcome, before))

    def _before(self, program: Program, trace: Trace, outcome: ProgramOutcome) -> tuple[tuple[str, str], ...]:
        """What an order must respect: that of the transactions of a session, or that of the clock."""
        return real_time_order(trace, outcome) if self._real_time else program.before

    def judge(self, program: Program, outcome: ProgramOutcome) -> SerialJudgement:
        """Of an outcome that was come to in another way than by a schedule, from the rows of the setup. What
        chance, a clock or the order of stored rows can have done is unknown. Leaves other rows behind."""
        first = self._judge(program)
        judgement = first.judge(outcome)
        if judgement.answer is not SerialAnswer.UNEXPLAINED:
            return judgement
        committed = frozenset(outcome.ended(Ending.COMMITTED))
        reason = self._judge(program, second=True).doubt(committed, first)
        return SerialJudgement(SerialAnswer.UNKNOWN, reason=reason) if reason else judgement

    def _fails_again(self, attempt: FollowedSchedule) -> int:
        judge = self._judge(attempt.program, second=True)
        failed = runs = stuck = 0
        while runs < RUNS_AGAIN:
            other = self._follow(attempt.program, attempt.isolation, attempt.trace.schedule, judge)
            if other.trace.stuck and stuck < _MOST_STUCK:
                stuck += 1
                continue
            runs += 1
            unexplained = other.judgement.answer is SerialAnswer.UNEXPLAINED
            failed += attempt.broken.keys() <= other.broken.keys() if attempt.broken else unexplained
        return failed

    def _without_doubtful(self, attempt: FollowedSchedule) -> FollowedSchedule:
        labels = frozenset(attempt.outcome.ended(Ending.COMMITTED))
        reason = self._doubts.get((id(attempt.program), labels), "")
        unexplained = attempt.judgement.answer is SerialAnswer.UNEXPLAINED
        return attempt.in_doubt(reason) if reason and unexplained else attempt

    def _follow(
        self,
        program: Program,
        isolation: str,
        schedule: Sequence[str],
        judge: SerialJudge,
        *,
        asks: bool = False,
    ) -> FollowedSchedule:
        trace, outcome = self._attempts.follow(
            program.bound(isolation), schedule, asks=asks, session_of=program.session_of
        )
        if trace.stuck:
            return FollowedSchedule(
                program, isolation, trace, outcome, SerialJudgement(SerialAnswer.UNKNOWN, reason=trace.stuck)
            )
        try:
            broken = {each.name: rows for each, rows in self._ask_invariants() if rows.rows}
            before = self._before(program, trace, outcome)
            return FollowedSchedule(program, isolation, trace, outcome, judge.judge(outcome, before), broken)
        except (SessionError, DatabaseUnavailable) as error:
            if not any(each.lost for each in outcome.transactions.values()):
                raise
            reason = f"the server was lost: {error}"
            return FollowedSchedule(
                program, isolation, trace, outcome, SerialJudgement(SerialAnswer.UNKNOWN, reason=reason)
            )

    def _tells_accesses(self, program: Program, isolation: str, all_of: int) -> bool:
        """Do the tables tell, and is it worth asking?

        What one level promises by looking at three transactions at once (dangerous structures of
        serializable snapshot isolation) no two steps alone tell.
        """
        bound = program.bound(isolation)
        if len(bound) > 2 and any(each.isolation == self._serial_level for each in bound):
            return False
        return isinstance(self._tables, SeesAccesses) and interleavings(bound) > all_of

    def _ask_invariants(self) -> Iterator[tuple[CheckedInvariant, Rows]]:
        for each in self._invariants:
            yield each, each.rows(self._tables)

    def _judge(self, program: Program, *, second: bool = False) -> SerialJudge:
        known = self._judges.get(id(program))
        if known is None:
            serially = partial(self._serially, program)
            variations = []
            if isinstance(self._tables, MovesNumbers) and self._tables.moves_numbers:
                moved = partial(self._serially, program, reset=self._tables.reset_numbers_moved)
                variations.append(Variation(moved, numbered))
            if isinstance(self._tables, ReversesRows):
                turned = partial(self._serially, program, reset=self._tables.reset_reversed)
                variations.append(Variation(turned, unordered))
            judges = [SerialJudge(serially, self._masks, variations, self._leave_out) for _ in range(2)]
            names = (transaction.name for transaction, _ in program.calls)
            self._names.update(zip(program.labels, names, strict=True))
            known = self._judges[id(program)] = (program, judges[0], judges[1])
        _, first, other = known
        return other if second else first

    def _serially(
        self, program: Program, order: Order, reset: Callable[[], None] | None = None
    ) -> ProgramOutcome:
        bound = {each.label: each for each in program.bound(self._serial_level)}
        chosen = [bound[label].at(self._serial_level) for label in order]
        stuck, outcome = self._attempts.serially(
            chosen, reset or self._tables.reset, session_of=program.session_of
        )
        if stuck:
            raise SerialRunFailed(stuck)
        for label, each in outcome.transactions.items():
            if each.lost or each.ending is Ending.UNKNOWN or each.code in self._tables.retried:
                raise SerialRunFailed(f"{label} came to {each.code} though nothing else ran: {each.message}")
        return outcome


def interleavings(bound: Sequence[Call]) -> int:
    """The most that there can be: locks that are waited for and steps that are not run leave fewer."""
    steps, found = 0, 1
    for each in bound:
        steps += each.points
        found *= comb(steps, each.points)
    return found
