"""Whether a screen has the terminal: told to whoever gives that back if this process dies.

Apart from the screen, since every command begins with it and few show a screen.
"""

from __future__ import annotations

from collections.abc import Callable


def _ignore(taken: bool) -> None:
    """Nobody has to know."""


_note: Callable[[bool], None] = _ignore


def noted_by(note: Callable[[bool], None]) -> None:
    """Set what is told when a screen takes the terminal, and when it gives it back."""
    global _note
    _note = note


def note_taken(taken: bool) -> None:
    _note(taken)
