"""`txfuzz analyze`: check any history that Elle reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options, parameters
from txfuzz.cli.terminal import OF_VERDICT, laid_out, say, say_step
from txfuzz.common.json_text import json_text
from txfuzz.errors import ExitCode, OutputError, PluginError, UsageError

if TYPE_CHECKING:
    from txfuzz.analysis.result import AnalysisResult
    from txfuzz.history.model import History

_DEFAULT_EXPECT = "serializable"
# The exit code for several histories is the first of these that applies to any
_SEVERITY = (ExitCode.VIOLATED, ExitCode.USAGE, ExitCode.UNKNOWN, ExitCode.NOTHING_FOUND)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="HISTORY…", type=parameters.FILE)
@click.option(
    "--expect", metavar="MODEL",
    help=f"Consistency model to check the histories against.  [default: {_DEFAULT_EXPECT}]",
)  # fmt: skip
@click.option(
    "--model", metavar="MODEL",
    help="What the histories record: list-append or rw-register (usually detected), or bank, set, set-full "
    "or counter, checked by the rules of Jepsen's checkers.",
)  # fmt: skip
@click.option(
    "--total-amount", type=int, metavar="N",
    help="Bank: sum of all accounts.  [default: the sum in the first read]",
)  # fmt: skip
@click.option("--allow-negative-balances", is_flag=True, help="Bank: accounts may be overdrawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, one per history.")
@click.option(
    "--graph-dir", type=parameters.FILE, metavar="DIR",
    help="Directory for the graphs. [default: next to the history; none with --json or several histories]",
)  # fmt: skip
@click.option("--skip-graph", is_flag=True, help="Draw no graphs.")
@options.max_graph_nodes
@click.option(
    "--max-near-cycles", type=click.IntRange(min=0), default=12, show_default=True, metavar="N",
    help="How many near-cycles to keep.",
)  # fmt: skip
@click.option(
    "--budget", "budget_seconds", type=parameters.Time(min=0), default=60.0, show_default="1m",
    metavar="TIME", help="Time limit for finding cycles in large components.",
)  # fmt: skip
@click.option("--wfr-keys", is_flag=True, help="Registers: a write follows the transaction's own read.")
@click.option("--sequential-keys", is_flag=True, help="Registers: each key is sequentially consistent.")
@click.option("--linearizable-keys", is_flag=True, help="Registers: each key is linearizable.")
@click.option(
    "--analyzer", "analyzers", multiple=True, metavar="NAME",
    help="Also run this installed analyzer. Repeatable.",
)  # fmt: skip
@options.plugin_files
@options.plugin_seconds
@click.option("-v", "--verbose", is_flag=True, help="Show everything that was kept, not only the first few.")
def analyze(
    files: tuple[Path, ...],
    expect: str | None,
    model: str | None,
    total_amount: int | None,
    allow_negative_balances: bool,
    as_json: bool,
    graph_dir: Path | None,
    skip_graph: bool,
    max_graph_nodes: int,
    analyzers: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    plugin_seconds: float,
    verbose: bool,
    **chosen: Any,
) -> int:
    """Check histories: anomalies found, models ruled out, and what nearly happened.

    Reads EDN and JSON, list-append and rw-register. Runs Elle's checker, and further analyzers that
    are named or come in plugin files. Jepsen's bank, set and counter histories are checked by their
    own rules. With several histories, the exit code is 1 if any is invalid, else 2 if any is
    unreadable, else 3 if any is unknown.
    """
    from txfuzz.analysis.elle import ElleAnalyzer
    from txfuzz.analysis.result import AnalysisResult, Verdict
    from txfuzz.campaign.setup.resolve import check_model, further_analyzers
    from txfuzz.cli.history_judge import HistoryJudge
    from txfuzz.cli.progress.line import analysis_line

    check_model(expect or _DEFAULT_EXPECT)
    if graph_dir is not None and len(files) > 1:
        raise UsageError("--graph-dir takes exactly one history")
    given = {"total_amount": total_amount, "allow_negative_balances": allow_negative_balances}
    model_options = {name: value for name, value in given.items() if value not in (None, False)}
    assumed = [name for name, value in chosen.items() if name.endswith("_keys") and value]
    transaction_options = [
        *assumed, *(["graph_dir"] if graph_dir else []), *(["analyzer"] if analyzers else []),
        *(["expect"] if expect else []),
    ]  # fmt: skip
    judge = HistoryJudge(
        expect or _DEFAULT_EXPECT, model, model_options, transaction_options, plugin_files, plugin_seconds
    )
    drawn = not skip_graph and (graph_dir is not None or not (as_json or len(files) > 1))
    to_run = [ElleAnalyzer(**chosen), *further_analyzers(analyzers, plugin_files, plugin_seconds)]
    codes = set()
    for number, path in enumerate(files):
        try:
            with analysis_line(path.name):
                history, result = judge.judge(path, to_run)
        except PluginError:
            raise
        except UsageError as error:  # about this history alone
            codes.add(error.exit_code)
            click.echo(f"txfuzz: {error}", err=True)
            if as_json:
                unread = AnalysisResult(str(path), Verdict.UNKNOWN, judge.expected, str(error))
                click.echo(json_text(unread.to_json()))
            continue
        codes.add(_show(result, as_json=as_json, verbose=verbose, first=number == 0))
        if drawn and history is not None:
            _draw(history, result, graph_dir, path.parent, max_graph_nodes)
    return next(code for code in _SEVERITY if code in codes)


def _show(result: AnalysisResult, *, as_json: bool, verbose: bool, first: bool) -> ExitCode:
    from txfuzz.report.campaign_result import EXIT_CODES

    if as_json:
        click.echo(json_text(result.to_json()))
    else:
        with laid_out():
            _print(result, verbose=verbose, first=first)
    return EXIT_CODES[result.verdict]


def _print(result: AnalysisResult, *, verbose: bool, first: bool) -> None:
    from txfuzz.report.finding import most_telling
    from txfuzz.report.text.analysis import analysis_body, verdict_text
    from txfuzz.report.text.next_steps import explain_step, step_lines

    say(("" if first else "\n") + analysis_body(result, verbose=verbose))
    say(verdict_text(result), OF_VERDICT[result.verdict])
    for command, what in step_lines(explain_step(most_telling(result))):
        say_step(command, what)


def _draw(
    history: History, result: AnalysisResult, graph_dir: Path | None, beside: Path, max_nodes: int
) -> None:
    """Draw into graph_dir; by default next to the history, unless a campaign has drawn its graphs there."""
    from txfuzz.campaign.directory.run_directory import IterationDirectory, draw_graphs

    place = IterationDirectory(beside)
    if graph_dir is None and place.analysis.exists() and place.minimal_graph.exists():
        click.echo(f"graphs: not drawn, {beside} holds those of its campaign (use --graph-dir DIR)")
        return
    try:
        notes = draw_graphs(history, result, graph_dir or beside, max_nodes)
    except OutputError as error:
        if graph_dir is not None:
            raise
        notes = (f"no graphs: {error}",)
    for note in notes:
        click.echo(note)
