"""The marks that tie hook implementations to hook specifications."""

from __future__ import annotations

import pluggy

GROUP = "txfuzz"  # the entry-point group, and the name of the project within pluggy

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
