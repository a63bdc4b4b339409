"""A fresh data directory in a tenth of a second: initdb once, keep the result, copy it per campaign.

The cache is $XDG_CACHE_HOME/txfuzz (else ~/.cache/txfuzz), with one directory per server build. A template
is created under a temporary name and then renamed, so that campaigns may race for it. Without a usable,
trustworthy cache everything works, half a second slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

from txfuzz.plugin_api import Account

from .files import ServerFiles

UNUSED_SECONDS = 30 * 24 * 3600  # templates unused for this long are removed
UNFINISHED_SECONDS = 3600  # and incomplete ones after this
PARTIAL = "partial-"


def template_path(files: ServerFiles) -> Path | None:
    """Where the template of this server build is or would be; None without a usable cache."""
    cache = cache_directory()
    if cache is None:
        return None
    found = files.postgres.stat()
    build = f"{files.postgres}\0{found.st_mtime_ns}\0{found.st_size}"
    return cache / f"postgres-{files.version}-{hashlib.sha256(build.encode()).hexdigest()[:16]}"


def cache_directory() -> Path | None:
    """Our directory in the user's cache, created if need be; None if others could write to it."""
    if sys.platform == "win32":  # where no server is embedded
        return None
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = Path(base, "txfuzz")
    if not cache.is_absolute():
        return None
    try:
        # Under sudo the home may be another user's: root leaves nothing there.
        nearest = next(path for path in (cache, *cache.parents) if path.exists())
        if os.geteuid() == 0 != nearest.stat().st_uid:
            return None
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = cache.stat()
        shared = found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return None if shared or not os.access(cache, os.R_OK | os.W_OK | os.X_OK) else cache
    except OSError:
        return None


def copy_template(template: Path, data: Path, account: Account) -> bool:
    """Make `data` from the template, owned by the account; False if there is no usable one."""
    try:
        if not (template / "global" / "pg_control").is_file():
            return False
        os.utime(template)
        shutil.copytree(template, data, symlinks=True)
        give(data, account)
        return True
    except (OSError, shutil.Error):
        shutil.rmtree(data, ignore_errors=True)
        return False


def give(directory: Path, account: Account) -> None:
    """Give the account a directory and everything in it."""
    if not account.drops:
        return
    account.own(directory)
    for folder, folders, names in os.walk(directory):
        for name in (*folders, *names):
            account.own(Path(folder, name))


def store_template(data: Path, template: Path) -> None:
    """Keep a pristine data directory as the template; losing the race or a full disk is not an error."""
    partial = None
    try:
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=template.parent))
        shutil.copytree(data, partial / "data", symlinks=True)
        os.rename(partial / "data", template)
    except (OSError, shutil.Error):
        pass
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    prune(template)


def drop_template(template: Path) -> None:
    """Remove a template that did not start; renamed first, so that nobody copies half of it."""
    with contextlib.suppress(OSError):
        broken = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=template.parent))
        with contextlib.suppress(OSError):
            os.rename(template, broken / "data")
        shutil.rmtree(broken, ignore_errors=True)


def prune(keep: Path) -> None:
    """Remove long-unused and unfinished templates."""
    with contextlib.suppress(OSError):
        for path in keep.parent.iterdir():
            limit = UNFINISHED_SECONDS if path.name.startswith(PARTIAL) else UNUSED_SECONDS
            ours = path.name.startswith((PARTIAL, "postgres-")) and path != keep
            if ours and time.time() - path.stat().st_mtime > limit:
                shutil.rmtree(path, ignore_errors=True)
