"""Plugin files (`--plugin-file`), loaded like installed plugins."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from txfuzz.errors import PluginError
from txfuzz.plugin.registry import FILE, Plugin

MODULE_PREFIX = "txfuzz_file_"  # of the names of modules made from plugin files


@dataclass(frozen=True)
class PluginFile:
    """A plugin file and its source as read. load() is like an entry point's."""

    path: Path
    source: bytes

    @property
    def value(self) -> str:
        return str(self.path)

    @property
    def plugin(self) -> Plugin:
        return Plugin(str(self.path), self.path.stem, FILE, str(self.path))

    def load(self) -> ModuleType:
        """The module; the same one for the same source and path, since classes refer to their module."""
        import hashlib  # slow to import, and most have no plugin files

        digest = hashlib.sha256(str(self.path.resolve()).encode() + b"\0" + self.source).hexdigest()[:12]
        name = f"{MODULE_PREFIX}{self.path.stem}_{digest}"
        if name in sys.modules:
            return sys.modules[name]
        module = ModuleType(name)
        module.__file__ = str(self.path)
        sys.modules[name] = module
        linecache.checkcache(str(self.path))
        try:
            exec(compile(self.source, str(self.path), "exec"), vars(module))
        except BaseException:
            del sys.modules[name]
            raise
        return module


def read_plugin_files(paths: Sequence[Path]) -> list[PluginFile]:
    """The files in the given order, without duplicates.

    Raises PluginError for a file that is missing, is not Python, or has the same name as another, since a
    campaign keeps them in one folder.
    """
    found: dict[str, PluginFile] = {}
    for path in paths:
        if path.suffix != ".py":
            hint = " (this is a directory: install its distribution with pip)" if path.is_dir() else ""
            raise PluginError(f"plugin file {path}: expected a Python file, NAME.py{hint}")
        earlier = found.get(path.name)
        if earlier is not None and earlier.path.resolve() != path.resolve():
            raise PluginError(
                f"plugin files {earlier.path} and {path} have the same name; rename one of them"
            )
        try:
            found[path.name] = PluginFile(path, path.read_bytes())
        except OSError as error:
            raise PluginError(f"plugin file {path}: cannot be read: {error.strerror}") from None
    return list(found.values())
