"""Which adapter: the one named on the command line, the one whose URL is given, or that of the file."""

from __future__ import annotations

from txfuzz.database.schemes import ANY_SCHEME, KnowsSchemes, misspelt, scheme_of, schemes_of
from txfuzz.errors import UsageError
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseChoice


def chosen_database(
    registry: Registry, adapter: str | None, url: str | None, *, opens: bool = True
) -> DatabaseChoice:
    """What a command line decides, in place of what the workload says. adapter: `--adapter`. url:
    `--database-url`. opens: whether we open the URL ourselves, rather than a command of the user's.

    PluginError for an adapter that is not installed. That it opens such URLs is checked where it does.
    """
    if adapter is not None:
        registry.entry("adapter", adapter)
    elif url is not None and opens:
        adapter = adapter_of_scheme(registry, url)
    return DatabaseChoice(adapter, url)


def adapter_of_scheme(registry: Registry, url: str) -> str | None:
    """The one that says that such URLs are its own, else the one that takes any; None if there is none.

    UsageError for a scheme that is nearly one of their own, unless the one for any knows it.
    """
    scheme = scheme_of(url)
    if not scheme:
        return None
    adapters = [entry.value for entry in registry.all("adapter")]
    near = misspelt(scheme, set().union(*map(schemes_of, adapters)) - {ANY_SCHEME})
    if near is not None and not any(
        isinstance(each, KnowsSchemes) and each.knows_scheme(scheme) for each in adapters
    ):
        raise UsageError(near)
    for wanted in (scheme, ANY_SCHEME):
        for entry in registry.all("adapter"):
            if wanted in schemes_of(entry.value):
                return entry.name
    return None
