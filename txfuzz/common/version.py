"""The version of txfuzz, where every layer may read it without importing the public API."""

from __future__ import annotations

__version__ = "0.1.0"
_GROUP = "txfuzz"  # of the plugins' entry points


def versions_text() -> str:
    """A line for txfuzz, for Python, and for each distribution with plugins, none of which is imported."""
    import platform
    from importlib.metadata import entry_points

    distributions = {(each.dist.name, each.dist.version) for each in entry_points(group=_GROUP) if each.dist}
    lines = [f"{name} {version}" for name, version in sorted(distributions) if name != "txfuzz"]
    return "\n".join([f"txfuzz {__version__}", f"Python {platform.python_version()}", *lines])
