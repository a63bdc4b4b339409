"""`corpus/` of a campaign: the workloads that reached something first, with their parents, and `corpus.json`
about them and about what each mutator has brought."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.feedback.learning.corpus import Corpus, CorpusEntry
from txfuzz.feedback.learning.credit import Credit
from txfuzz.workload.yaml.writer import workload_text

CORPUS = "corpus"


@runtime_checkable
class KeepsCorpus(Protocol):
    """A strategy that does."""

    @property
    def corpus(self) -> Corpus: ...

    @property
    def credit(self) -> Credit:
        """By mutator."""


def corpus_of(strategy: object) -> tuple[Corpus, Credit] | None:
    """The strategy's corpus and the credit of its mutators; None for a strategy without them."""
    if not isinstance(strategy, KeepsCorpus):
        return None
    corpus, credit = strategy.corpus, strategy.credit
    if not isinstance(corpus, Corpus) or not isinstance(credit, Credit):
        return None  # a plugin's own, of another form
    return corpus, credit


def write_corpus(strategy: object, campaign: Path) -> None:
    """What of the strategy's corpus is not there yet; nothing for a strategy without one."""
    kept = corpus_of(strategy)
    if kept is None or not len(kept[0]):
        return
    corpus, credit = kept
    directory = campaign / CORPUS
    with writing(directory):
        directory.mkdir(exist_ok=True)
    for entry in corpus:
        path = directory / f"{entry.number:04d}.yaml"
        if not path.exists():
            write_text(path, workload_text(entry.workload, _header(entry)))
    write_json(
        directory / "corpus.json",
        {
            "entries": [_as_data(entry) for entry in corpus],
            "mutators": {
                name: {"rate": round(each.rate, 4), "transactions": each.spent, "tried": each.tried}
                for name, each in sorted(credit.yields.items())
            },
        },
    )


def _header(entry: CorpusEntry) -> str:
    made = f"by {' and '.join(entry.by)} of entry {entry.parent}" if entry.by else "by a new start"
    first = "\n".join(f"  {feature}" for feature in entry.first)
    return (
        f"Corpus entry {entry.number}, made {made}.\n"
        f"Iteration {entry.iteration} ran it, and was the first to show:\n{first}"
    )


def _as_data(entry: CorpusEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "iteration": entry.iteration,
        "parent": entry.parent,
        "by": list(entry.by),
        "transactions": entry.transactions,
        "features": len(entry.seen),
        "first": [str(feature) for feature in entry.first],
        "chosen": entry.chosen,
    }
