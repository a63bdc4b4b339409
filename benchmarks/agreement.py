"""How often the checker and the real Elle say the same, per kind, model and options.

    python benchmarks/agreement.py [--all]

Takes the histories and Elle's recorded verdicts from ../shared/histories beside the project, else the
selection under tests/histories/agreement. Agreed: the same verdict, the same models ruled out
(`not` and `also_not`) and the same types of anomalies. Every difference is listed by class, a
few runs of each or with --all every run; docs/differences-from-elle.md explains the classes.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from elle_verdicts import SHARED, UNEXPLAINED, difference, selected_runs, shared_runs

Row: TypeAlias = tuple[str, str, str, str]


def main() -> int:
    every = "--all" in sys.argv[1:]
    runs = shared_runs() if SHARED.is_dir() else selected_runs()
    total: Counter[Row] = Counter()
    agreed: Counter[Row] = Counter()
    classes: defaultdict[Row, Counter[str]] = defaultdict(Counter)
    differences: defaultdict[str, list[str]] = defaultdict(list)
    start = perf_counter()
    for collection, elle, history in runs:
        row = (collection, elle.kind, elle.model, " ".join(f"--{name}" for name in elle.options))
        total[row] += 1
        what = difference(history, elle)
        if what is None:
            agreed[row] += 1
        else:
            classes[row][what] += 1
            differences[what].append(f"{elle.file} {elle.model} {row[3]}".strip())
    print("| histories | kind | held against | options | agreed | of | differences |")
    print("|---|---|---|---|---|---|---|")
    for row in sorted(total):
        what = ", ".join(f"{name} {count}" for name, count in sorted(classes[row].items()))
        print(f"| {' | '.join(row)} | {agreed[row]} | {total[row]} | {what} |")
    print(f"\n{agreed.total()} of {total.total()} agreed, {perf_counter() - start:.1f} s")
    for what, where in sorted(differences.items()):
        print(f"\n{what}: {len(where)} runs of {len({each.split()[0] for each in where})} histories")
        print("\n".join(f"  {each}" for each in (where if every else where[:3])))
    return 1 if differences[UNEXPLAINED] else 0


if __name__ == "__main__":
    sys.exit(main())
