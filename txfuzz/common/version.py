"""The version of txfuzz, where every layer may read it without importing the public API."""

from __future__ import annotations

__version__ = "0.1.0"
