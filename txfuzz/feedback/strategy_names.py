"""The names of the built-in strategies, apart from their code, which takes long to import."""

from __future__ import annotations

CLASSIC = "classic"
OPEN_LOOP = "open-loop"
STATIC = "static"
LEARNING = "learning"
DEFAULT_STRATEGY = CLASSIC
