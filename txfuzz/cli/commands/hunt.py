"""`txfuzz hunt`: find holes in a database by small programs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options, parameters
from txfuzz.cli.terminal import Style, laid_out, say
from txfuzz.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from txfuzz.campaign.hunt.settings import HuntSettings
    from txfuzz.campaign.workers.engines import Workers
    from txfuzz.cli.progress.screen import Screen
    from txfuzz.hunt.hunt import Budget
    from txfuzz.hunt.result import FoundHole

_OWN = ("adapter", "strategy", "sessions", "statements", "keys", "forms", "exclude", "layouts", "isolation",
        "seed", "each")  # fmt: skip


def _names(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for each in value for name in each.split(",") if name.strip())
    if value and not names:
        raise UsageError(f"--{parameter.name} names nothing: {value[0]!r}")
    return names


@click.command()
@click.option(
    "--adapter", default="", metavar="NAME", type=parameters.ADAPTER,
    help="The database. [default: that of the default campaign]",
)  # fmt: skip
@click.option(
    "--isolation", multiple=True, metavar="LEVEL", type=parameters.LEVEL,
    help="Isolation level. Repeatable. [default: those that promise to be serializable]",
)  # fmt: skip
@click.option(
    "--sessions", type=click.IntRange(2, 3), default=2, show_default=True, metavar="N",
    help="The most of a program.",
)  # fmt: skip
@click.option(
    "--statements", type=click.IntRange(1, 3), default=2, show_default=True, metavar="N",
    help="The most of a session, in one or two transactions.",
)  # fmt: skip
@click.option(
    "--keys", type=click.IntRange(1, 3), default=2, show_default=True, metavar="N",
    help="The rows that there can be.",
)  # fmt: skip
@click.option(
    "--forms", multiple=True, callback=_names, metavar="A,B", help="Only these forms; see `txfuzz forms`."
)
@click.option("--exclude", multiple=True, callback=_names, metavar="A,B", help="Not these forms.")
@click.option("--layouts", multiple=True, callback=_names, metavar="A,B", help="Only these layouts.")
@click.option(
    "--strategy", type=click.Choice(["random", "systematic", "guided"]), default="random", show_default=True,
    help="By chance; every program, smallest first; or neighbours of what was new.",
)  # fmt: skip
@click.option(
    "--each", type=click.IntRange(min=1), metavar="N",
    help="Interleavings of a program. [default: 2; systematic: 40]",
)  # fmt: skip
@click.option(
    "--budget", default="1m", show_default=True, metavar="TIME|N",
    help="A duration such as 10m, or a number of schedules.",
)  # fmt: skip
@click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of all random choices."
)
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Write hunt.json and hunt.html there, and of each hole its story and scripts.",
)  # fmt: skip
@click.option(
    "--resume",
    type=parameters.FILE,
    metavar="DIR",
    help="Go on with the hunt in this directory, as it was set.",
)
@options.workers()
@click.option(
    "--race", is_flag=True,
    help="Release two or three transactions in the same microseconds, again and again, at changing offsets.",
)  # fmt: skip
@click.option(
    "--load", type=click.IntRange(min=0), metavar="N",
    help="With --race: N processes that keep processors busy beside the clients.  [default: 0]",
)  # fmt: skip
@click.option("--known", is_flag=True, help="The stories of holes that are known, too.")
@options.database_url("url")
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the text.")
def hunt(
    budget: str,
    output: Path | None,
    resume: Path | None,
    workers: int | None,
    dask: str | None,
    race: bool,
    load: int | None,
    known: bool,
    as_json: bool,
    **fields: Any,
) -> int:
    """Find holes: run small programs of every kind of statement, and ask for an order that explains each.

    Exit code 1 if something was found that is not known, 3 if nothing could be judged.
    """
    from txfuzz.cli.progress.screen import Screen, doing, unless

    if resume is not None and output is not None:
        raise UsageError("--resume goes on in its own directory: leave out --output-dir")
    if resume is not None and not race:
        race = (resume / "race.json").is_file() and not (resume / "hunt.json").is_file()
    if load is not None and not race:
        raise UsageError("--load is for races: add --race")
    if race:
        _check_fits_race(click.get_current_context())
    if resume is not None:
        _check_fits_resume(click.get_current_context())
    options.say_where_url_is_from(fields["url"])
    fields |= {"output": output, "resume": resume, "known": known, "as_json": as_json}
    with unless(as_json, Screen(doing("txfuzz hunt", "starting the database"))) as screen:
        from txfuzz.campaign.hunt.settings import HuntSettings, budget_named
        from txfuzz.campaign.workers.engines import Workers

        settings = HuntSettings(**{name: fields.pop(name) for name in _OWN})
        given = budget_named(budget)
        if race:
            return _race(settings, given, load or 0, screen, **fields)
        return _hunt(settings, given, Workers(workers, dask), screen, **fields)


def _check_fits_race(context: click.Context) -> None:
    for name in ("sessions", "statements", "keys", "strategy", "each"):
        if _is_given(context, name):
            raise UsageError(f"--race decides by itself what races: leave out --{name}")
    for name in ("workers", "dask"):
        if _is_given(context, name):
            raise UsageError(f"--race needs the processors to itself: leave out --{name}")


def _check_fits_resume(context: click.Context) -> None:
    for name in _OWN:
        if _is_given(context, name):
            raise UsageError(f"--resume goes on as the hunt was set: leave out --{name}")


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _hunt(
    settings: HuntSettings,
    budget: Budget,
    workers: Workers,
    screen: Screen,
    *,
    output: Path | None,
    resume: Path | None,
    known: bool,
    as_json: bool,
    **fields: Any,
) -> int:
    from txfuzz.campaign.hunt.artefacts import hunt_data
    from txfuzz.campaign.hunt.hunt import hunt as run_hunt
    from txfuzz.cli.interruption import interruptible
    from txfuzz.cli.progress.hunt import HuntProgress
    from txfuzz.common.json_text import json_text
    from txfuzz.report.hunt.text import ending, hunt_body

    progress = HuntProgress(budget, screen, quiet=as_json)
    with interruptible() as interrupted:
        found = run_hunt(
            settings,
            budget,
            workers=workers,
            output=output,
            resume=resume,
            interrupted=interrupted,
            on_begin=progress.began,
            on_progress=progress,
            on_lost=progress.lost,
            on_refused=progress.refused,
            **fields,
        )
    screen.close()
    result = found.result
    _say_moved(found.moved)
    if as_json:
        click.echo(json_text(hunt_data(found.settings, found.server, result)))
    else:
        with laid_out():
            say(hunt_body(found.server, found.levels, result, found.excepted, known=known))
            say(f"\n{ending(result.holes)}", _style(result.holes))
        place = resume or output
        if place is not None:
            click.echo(f"\nreport: {place / 'hunt.html'}")
    _say_interrupted(result.interrupted, f"{result.counts.schedules:,} schedules", resume or output)
    judged = result.counts.schedules - result.counts.unknown
    return _code(result.interrupted, bool(result.news), judged)


def _race(
    settings: HuntSettings,
    budget: Budget,
    load: int,
    screen: Screen,
    *,
    output: Path | None,
    resume: Path | None,
    known: bool,
    as_json: bool,
    **fields: Any,
) -> int:
    from txfuzz.campaign.hunt.race import race as run_race
    from txfuzz.campaign.hunt.race import race_data
    from txfuzz.cli.interruption import interruptible
    from txfuzz.cli.progress.hunt import RaceProgress
    from txfuzz.common.json_text import json_text
    from txfuzz.report.hunt.race import race_body
    from txfuzz.report.hunt.text import ending

    with interruptible() as interrupted:
        found = run_race(
            settings,
            budget,
            load=load,
            output=output,
            resume=resume,
            interrupted=interrupted,
            on_progress=RaceProgress(budget, screen),
            **fields,
        )
    screen.close()
    result = found.result
    _say_moved(found.moved)
    if as_json:
        click.echo(json_text(race_data(found)))
    else:
        with laid_out():
            say(race_body(found.server, found.levels, result, found.load, found.excepted, known=known))
            holes = [each.hole for each in result.holes]
            say(f"\n{ending(holes)}", _style(holes))
        place = resume or output
        if place is not None:
            click.echo(f"\nreport: {place / 'race.html'}")
    _say_interrupted(result.interrupted, f"{result.counts.rounds:,} rounds", resume or output)
    judged = result.counts.rounds - result.counts.unknown
    return _code(result.interrupted, bool(result.news), judged)


def _say_moved(moved: Path | None) -> None:
    if moved is not None:
        click.echo(f"txfuzz: the earlier hunt that was there is now in {moved}", err=True)


def _say_interrupted(interrupted: bool, ran: str, place: Path | None) -> None:
    if not interrupted:
        return
    how = "without --output-dir it cannot go on"
    if place is not None:
        how = f"txfuzz hunt --resume {shlex.quote(str(place))} goes on"
    click.echo(f"interrupted after {ran}: {how}", err=True)


def _style(holes: Sequence[FoundHole]) -> Style:
    if any(not each.known for each in holes):
        return Style.BROKEN
    return Style.FOUND if holes else Style.GOOD


def _code(interrupted: bool, violated: bool, judged: int) -> int:
    if interrupted:
        return ExitCode.INTERRUPTED
    if violated:
        return ExitCode.VIOLATED
    return ExitCode.NOTHING_FOUND if judged else ExitCode.UNKNOWN
