"""Which versions are installed on a machine. Sent there as source, since what is there may be another one:
so nothing of txfuzz is imported here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, entry_points, version

Versions = dict[str, str]  # distribution → version


def installed_versions() -> Versions:
    """Of the core, and of every distribution with a plugin for it."""
    found = {}
    for point in entry_points(group="txfuzz"):
        if point.dist is not None:
            found[point.dist.name] = point.dist.version
    try:
        found["txfuzz-core"] = version("txfuzz-core")
    except PackageNotFoundError:
        found.pop("txfuzz-core", None)
    return found


def difference(here: Versions, there: Versions) -> str:
    """What is another version there, in a clause; empty if nothing is."""
    for name in sorted({*here, *there}, key=lambda name: (name != "txfuzz-core", name)):
        ours, theirs = here.get(name), there.get(name)
        if theirs is None:
            return f"it has no {name}, which is {ours} here"
        if ours is None:
            return f"it has {name} {theirs}, which is not installed here"
        if ours != theirs:
            return f"it has {name} {theirs}, which is {ours} here"
    return ""
