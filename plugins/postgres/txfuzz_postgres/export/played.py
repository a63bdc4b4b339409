"""A schedule of a hunt as a spec for PostgreSQL's isolationtester; see isolationtester.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from txfuzz.plugin_api import PlayedSchedule, PlayedStep

from ..statements import typed_begin
from .isolationtester import quoted

_SCHEMA = "hole"  # of its own, so that nothing but what the setup made has to be dropped


def played_spec(played: PlayedSchedule) -> str | None:
    """A spec whose one permutation is the schedule; None if a statement has braces, which specs cannot have.

    Each transaction is a session. isolationtester itself sees who waits, and prints what each step gives.
    """
    statements = (*played.setup, *played.settings, *(step.sql for step in played.steps))
    if any(set("{}") & set(each) for each in statements):
        return None
    lines = [f"# {' '.join(played.title.split())}", "", "setup", "{"]
    lines += [f"  CREATE SCHEMA {_SCHEMA};", f"  SET search_path = {_SCHEMA};"]
    lines += [f"  {each.strip().rstrip(';')};" for each in played.setup]
    lines += ["}", "", "teardown", "{", f"  DROP SCHEMA {_SCHEMA} CASCADE;", "}"]
    names = list(_names(played.steps))
    for session in dict.fromkeys(step.session for step in played.steps):
        own = [f"SET search_path = {_SCHEMA};", *(f"{each};" for each in played.settings)]
        lines += ["", f"session {_session(session)}"]
        lines += [f"setup {{ {' '.join(own)} {typed_begin(played.isolation)}; }}"]
        for name, step in zip(names, played.steps, strict=True):
            if step.session == session:
                lines.append(f"step {name} {{ {step.sql.strip().rstrip(';')}; }}")
        lines.append("teardown { ROLLBACK; }" if _is_left_open(played.steps, session) else "")
    return "\n".join([*lines, "", f"permutation {' '.join(names)}"]) + "\n"


def _names(steps: Sequence[PlayedStep]) -> Iterator[str]:
    for at, step in enumerate(steps):
        number = sum(each.session == step.session for each in steps[: at + 1])
        yield f"{_session(step.session)}_{'commit' if step.action == 'commit' else number}"


def _session(name: str) -> str:
    return quoted(name.lower())


def _is_left_open(steps: Sequence[PlayedStep], session: str) -> bool:
    own = [step for step in steps if step.session == session]
    return own[-1].failed or own[-1].action != "commit"
