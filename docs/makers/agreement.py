"""How often the checker agrees with the real Elle, per kind, model and options.

    python docs/makers/agreement.py --write docs/explanation/agreement.md
    python docs/makers/agreement.py --all

The histories and Elle's recorded verdicts are those in tests/histories/agreement. Agreed: the same verdict,
the same models ruled out (`not` and `also_not`) and the same types of anomalies. Every difference is listed
by class, a few runs of each or with --all every run; docs/explanation/differences-from-elle.md explains the
classes.
Exits with 1 if a difference belongs to no class.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from elle_verdicts import UNEXPLAINED, all_runs, difference
from page_tables import replaced

Row: TypeAlias = tuple[str, str, str, str]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="list every run that differs")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    given = parser.parse_args()
    total: Counter[Row] = Counter()
    agreed: Counter[Row] = Counter()
    classes: defaultdict[Row, Counter[str]] = defaultdict(Counter)
    differences: defaultdict[str, list[str]] = defaultdict(list)
    for collection, elle, history in all_runs():
        row = (collection, elle.kind, elle.model, " ".join(f"--{name}" for name in elle.options))
        total[row] += 1
        what = difference(history, elle)
        if what is None:
            agreed[row] += 1
        else:
            classes[row][what] += 1
            differences[what].append(f"{elle.file} {elle.model} {row[3]}".strip())
    lines = [
        "| histories | kind | checked against | options | agreed | of | differences |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(total):
        what = ", ".join(f"{name} {count}" for name, count in sorted(classes[row].items()))
        lines.append(f"| {' | '.join(row)} | {agreed[row]} | {total[row]} | {what} |")
    table = "\n".join([*lines, "", f"{agreed.total()} of {total.total()} agreed."])
    print(table)
    if given.write:
        replaced(given.write, "agreement", table)
    for what, where in sorted(differences.items()):
        print(f"\n{what}: {len(where)} runs of {len({each.split()[0] for each in where})} histories")
        print("\n".join(f"  {each}" for each in (where if given.all else where[:3])))
    return 1 if differences[UNEXPLAINED] else 0


if __name__ == "__main__":
    sys.exit(main())
