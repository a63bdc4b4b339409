"""Parses EDN with edn_format: the fallback and reference for the fast path."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from txfuzz.history.formats.boundaries import DEPTH, shown
from txfuzz.history.values import TOO_MANY_DIGITS, Character, Keyword, Map, Symbol, Tagged, checked

_TAG = re.compile(r"#([A-Za-z][\w.*+!\-?$%&=:#<>@/]*)")
_BUILT_IN = {"inst", "uuid"}


class EdnParser:
    """Parses EDN text; ValueError with one sentence if it is invalid."""

    def __init__(self) -> None:
        import edn_format
        import edn_format.edn_lex
        import edn_format.edn_parse
        import ply.yacc  # type: ignore[import-untyped]

        self._edn = edn_format
        # edn_format.loads creates both for every text, with tables of the grammar that it would write to disk
        # beside the library.
        grammar = ModuleType("edn_parse")
        vars(grammar).update(vars(edn_format.edn_parse), p_simple_map=_simple_map(edn_format))
        self._parser = ply.yacc.yacc(module=grammar, debug=False, write_tables=False)
        self._lexer = edn_format.edn_lex.lex()
        self._infinite = False  # whether the current text contains ##Inf

    def parse(self, data: bytes) -> list[Any]:
        """All values of the text, with our own types where Python has none."""
        text = _line_ends(data.decode())
        self._infinite = "##" in text
        tags = [tag for tag in set(_TAG.findall(text)) if tag not in _BUILT_IN]
        for tag in tags:
            self._edn.add_tag(tag, _tagged(tag))
        try:
            return [self._plain(value) for value in self._parser.parse(text, lexer=self._lexer)]
        except Exception as error:  # the parser may raise anything
            raise ValueError(self._reason(error, text)) from None
        finally:
            for tag in tags:
                self._edn.remove_tag(tag)

    def scalar(self, token: bytes) -> Any:
        """The value of a single token."""
        values = self.parse(token)
        if len(values) != 1:
            raise ValueError(token)
        return values[0]

    def _plain(self, value: Any, depth: int = DEPTH) -> Any:
        """Convert edn_format's types to ours, with limited nesting."""
        edn, inner = self._edn, depth - 1
        if depth < 0:
            raise RecursionError
        if isinstance(value, edn.Char):
            return Character(str(value))
        if isinstance(value, str | int):
            return checked(value)
        if isinstance(value, edn.Keyword):
            return Keyword(value.name)
        if isinstance(value, edn.Symbol):
            return Symbol(value.name)
        if isinstance(value, Tagged):
            return Tagged(value.tag, self._plain(value.value, inner))
        if isinstance(value, edn.ImmutableDict):
            return Map((self._plain(key, inner), self._plain(item, inner)) for key, item in value.items())
        if isinstance(value, edn.ImmutableList | tuple):
            return tuple(self._plain(item, inner) for item in value)
        if isinstance(value, frozenset):
            return frozenset(self._plain(item, inner) for item in value)
        if isinstance(value, float) and math.isinf(value) and not self._infinite:
            raise ArithmeticError  # 1e400 would become infinite
        if hasattr(value, "metadata"):
            return self._plain(value.value, inner)
        return value

    def _reason(self, error: Exception, text: str) -> str:
        token: Any = error.args[0] if error.args else None
        if hasattr(token, "lexpos"):
            return f"{shown(text[token.lexpos :].encode())} is not allowed there"
        if isinstance(error, RecursionError):
            return f"it is nested deeper than {DEPTH} levels"
        if isinstance(error, ArithmeticError):
            return "it contains a number that is out of range"
        message = str(error)
        place = re.search(r"lexpos (\d+)", message)
        if place:
            return f"{shown(text[int(place[1]) :].encode())} is not EDN"
        if "EOF" in message:
            return "it ends too early"
        if "digits" in message:
            return TOO_MANY_DIGITS
        return message.partition("\n")[0] or type(error).__name__


def _simple_map(edn: Any) -> Callable[[Any], None]:
    """edn_format's rule for maps, but rejecting duplicate keys, which come from merged lines."""

    def p_simple_map(p: Any) -> None:
        """simple_map : MAP_START expressions MAP_OR_SET_END"""
        terms = list(p[2])
        if len(terms) % 2:
            raise ValueError("it contains a map that has a key without a value")
        names = [term for term in terms[::2] if isinstance(term, edn.Keyword)]
        if len(set(names)) < len(names):
            raise ValueError("it contains a map with a duplicate key")
        p[0] = edn.ImmutableDict(zip(terms[::2], terms[1::2], strict=True))

    return p_simple_map


def _tagged(tag: str) -> Callable[[Any], Tagged]:
    return lambda value: Tagged(tag, value)


def _line_ends(text: str) -> str:
    """Replace carriage returns, which are blanks in EDN but not for edn_format."""
    if "\r" not in text:
        return text
    return re.sub(
        r'("[^"\\]*+(?:\\.[^"\\]*+)*"|\\\r)|\r', lambda found: found[1] or " ", text, flags=re.DOTALL
    )
