"""`txfuzz report`: what a campaign found, as a web page or for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from txfuzz.report.baseline import BaselineEntry, Comparison
    from txfuzz.report.campaign_result import CampaignResult

_PAGE = "report.html"
_EXPLAINED = 3  # findings that are shown with the transactions around them


@click.command()
@click.argument("directory", type=parameters.FILE, metavar="[DIR]", required=False)
@click.option(
    "--format", "form", type=click.Choice(["html", "junit", "markdown"]), default="html", show_default=True,
    help="A web page, test cases for a CI system, or a pull request comment.",
)  # fmt: skip
@click.option(
    "--out", type=parameters.FILE, metavar="FILE",
    help="Output file, - for stdout. [default: DIR/report.html; stdout for junit and markdown]",
)  # fmt: skip
@click.option(
    "--baseline", type=parameters.FILE, metavar="FILE", help="Known findings: fail only for new ones."
)
@click.option(
    "--write-baseline", type=parameters.FILE, metavar="FILE",
    help="Record the findings of this campaign as known; entries for other databases and levels are kept.",
)  # fmt: skip
@options.exit_code("end with 1 or 3 by the verdict of the campaign, as with --baseline")
def report(
    directory: Path | None,
    form: str,
    out: Path | None,
    baseline: Path | None,
    write_baseline: Path | None,
    by_verdict: bool,
) -> int:
    """Report what the campaign in DIR found; by default the latest in runs/.

    Exit code 0 once the report is written. With --exit-code or --baseline: 1 if anomalies were found that
    the expected model forbids (with --baseline, only if there are new ones), 3 if there is no verdict.
    """
    from txfuzz.campaign.directory.reader import read_run
    from txfuzz.report.baseline import baseline_warnings, compare

    directory = directory or options.latest_campaign()
    record = read_run(directory)
    comparison = None
    if baseline is not None:
        known = _read(baseline)
        comparison = compare(record, known)
        for sentence in baseline_warnings(known):
            click.echo(f"txfuzz: {sentence}", err=True)
    if write_baseline is not None:
        _note(record, write_baseline)
    _write(_text(record, form, comparison), form, out, directory)
    return _code(record, comparison) if by_verdict or baseline is not None else ExitCode.NOTHING_FOUND


def _text(record: CampaignResult, form: str, comparison: Comparison | None) -> str:
    if form == "junit":
        from txfuzz.report.junit import junit_text

        return junit_text(record, comparison)
    if form == "markdown":
        from txfuzz.report.markdown import markdown_text

        return markdown_text(record, comparison)
    from txfuzz.report.concurrent_transactions import with_neighbours
    from txfuzz.report.html.page import report_page

    record = with_neighbours(record, _EXPLAINED)
    return report_page(record, baseline=comparison.sentence if comparison else "")


def _write(text: str, form: str, out: Path | None, directory: Path) -> None:
    from txfuzz.campaign.directory.run_directory import write_text

    if form == "html" and out is None:
        out = directory / _PAGE
    if out is None or str(out) == "-":
        click.echo(text, nl=False)
        return
    write_text(out, text)
    click.echo(out)


def _read(path: Path) -> tuple[BaselineEntry, ...]:
    from txfuzz.report.baseline import read_baseline

    try:
        return read_baseline(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: expected UTF-8") from None


def _note(record: CampaignResult, path: Path) -> None:
    from txfuzz.campaign.directory.run_directory import write_text
    from txfuzz.report.baseline import baseline_entry, baseline_text
    from txfuzz.report.baseline_edit import edited

    before = _read(path) if path.exists() else None
    entry = baseline_entry(record, before or ())
    known = path.read_text(encoding="utf-8") if before is not None else ""
    write_text(path, edited(known, str(path), entry) if known else baseline_text([entry]))
    old = next((each for each in before or () if each.place == entry.place), None)
    gone = {each.type for each in old.anomalies} - set(record.found) if old is not None else set()
    click.echo(f"recorded in {path}: {', '.join(sorted(record.found)) or 'nothing'}", err=True)
    if gone:
        click.echo(f"removed from {path}, as not seen this time: {', '.join(sorted(gone))}", err=True)


def _code(record: CampaignResult, comparison: Comparison | None) -> ExitCode:
    """The exit code of the verdict, not counting findings that the baseline knows."""
    from txfuzz.analysis.result import Verdict
    from txfuzz.report.campaign_result import EXIT_CODES

    if comparison is None or record.verdict is not Verdict.INVALID:
        return EXIT_CODES[record.verdict]
    if not comparison.passes:
        return ExitCode.VIOLATED
    return ExitCode.UNKNOWN if record.undecided or not record.whole else ExitCode.NOTHING_FOUND
