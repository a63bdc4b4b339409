"""Text that may hold a database URL, made fit to be shown or written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

# A password may itself hold what should have been percent-encoded: it is taken to reach the last @.
_USERINFO = re.compile(r"(\w[\w+.-]*://)([^:@/?#]*):.*@", re.DOTALL)
_SECRET = r"(?:\w*(?:password|passwd|pwd|secret|token|api_?key)|(?:\w*_)?pass)"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
# In a command more words give a secret away: what it is told is not ours to check, so too much goes.
_WORDS = (
    r"secrets?|credentials?|creds?|auth|authorization|bearer|passphrase|passcode|pgpass|private_?key|access_?key|"
    r"session_?key|signing_?key|encryption_?key|jwt|cookie|connection_?string"
)
_COMMAND_NAME = re.compile(
    rf"{_SECRET}|(?:\w*_)?(?:{_WORDS})(?:_\w*)?|\w*(?:secret|credential)\w*", re.IGNORECASE
)
_NO_SECRET = re.compile(r"\w*_?(?:file|path|dir|type|mode|name|method|url|uri|host|port)", re.IGNORECASE)
_HEADER = re.compile(r"(\b(?:bearer|basic|token|digest|negotiate|apikey)\s+)[^\s\"',;]+", re.IGNORECASE)
_FIELD = re.compile(
    r"^([\w-]*(?:authorization|cookie|token|secret|api-?key|password|credential)[\w-]*\s*:\s*)(?=\S)(.*)$",
    re.IGNORECASE | re.DOTALL,
)
# Option → commands to which it gives a password, as the next word or as the rest of this one
_OPTIONS = {
    "-p": frozenset({"sshpass"}),
    "-a": frozenset({"redis-cli", "valkey-cli"}),
    "-P": frozenset({"sqlcmd", "bcp", "isql", "tsql"}),
}
# Of these only where it stands in the same word: `-p` alone asks, or is a port
_ATTACHED = re.compile(r"(?:mysql|mariadb)[\w-]*")
_USER = re.compile(r"(-u|-U|--user|--proxy-user|--username)(=?)(.*)", re.DOTALL)
_DSN = re.compile(r"(?<![^\s=])([^\s:@/=]*):[^\s@/…]+@")  # user:password@tcp(host)/name
_ASSIGNED = re.compile(rf"(?<!\w){_SECRET}\s*=", re.IGNORECASE)
_KEYWORD = re.compile(rf"(?<!\w){_SECRET}\s*=\s*(?:'(?:[^'\\]|\\.)*'?|\S*)\s*", re.IGNORECASE | re.DOTALL)


def without_password(text: str) -> str:
    """The text without the passwords of URLs (user:pass@, ?password=) and connection strings (password=…).

    When in doubt too much goes.
    """
    if "://" in text:
        text = _USERINFO.sub(lambda found: found[1] + (f"{found[2]}@" if found[2] else ""), text)
        url, mark, query = text.partition("?")
        kept = [part for part in query.split("&") if not _ASSIGNED.search(unquote(part))]
        text = url + (mark if kept != [] and mark else "") + "&".join(kept)
    return _KEYWORD.sub("", text) if _ASSIGNED.search(text) else text


def command_without_secrets(command: str) -> str:
    """A command line as it was typed, or, where its words hold passwords, with an ellipsis in their place.

    Looked at are what without_password() sees, `NAME=…` and `--name …` whose name says that they are
    secret, `user:…@`, `-u user:…`, headers (`Authorization: Bearer …`) and what programs that are known
    for it are given (`sshpass -p …`), also in the commands that are words of `sh -c`. When in doubt too
    much goes.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return without_password(command)
    shown = [_word_without_secret(word) for word in words]
    program = ""
    for place, word in enumerate(words):
        name = word.rpartition("/")[2]
        program = name if name in _PROGRAMS or _ATTACHED.fullmatch(name) else program
        following = place + 1 < len(words)
        told = program in _OPTIONS.get(word, ()) or (word.startswith("-") and _is_told(word.lstrip("-")))
        if following and told:
            shown[place + 1] = "…"
        elif program in _OPTIONS.get(word[:2], ()) or (_ATTACHED.fullmatch(program) and word[:2] == "-p"):
            shown[place] = word if len(word) == 2 else f"{word[:2]}…"
        elif given := _USER.fullmatch(word):
            if given[3]:
                shown[place] = f"{given[1]}{given[2]}{_user(given[3])}"
            elif following:
                shown[place + 1] = _user(words[place + 1], shown[place + 1])
        elif following and _HEADER.fullmatch(f"{word} x"):  # Bearer … in words of their own
            shown[place + 1] = "…"
    return command if shown == words else " ".join(map(_quoted, shown))


_PROGRAMS = frozenset().union(*_OPTIONS.values())


def _is_told(name: str) -> bool:
    """Is what a command is told under this name secret? When in doubt it is, but for where a secret lies."""
    name = name.replace("-", "_")
    return is_secret(name) or (_COMMAND_NAME.fullmatch(name) is not None and not _NO_SECRET.fullmatch(name))


def _user(text: str, otherwise: str | None = None) -> str:
    """user:password without the password."""
    user, colon, password = text.partition(":")
    if colon and password and "/" not in user:
        return f"{user}:…"
    return _word_without_secret(text) if otherwise is None else otherwise


def _word_without_secret(word: str) -> str:
    name, assigned, _ = word.partition("=")
    if assigned and _is_told(name.lstrip("-")):
        return f"{name}=…"
    if field := _FIELD.match(word):  # a header, before it is looked at as a command
        scheme = _HEADER.match(field[2])
        return f"{field[1]}{scheme[1] if scheme else ''}…"
    if len(word.split()) > 1:
        word = command_without_secrets(word)
    return _DSN.sub(r"\1:…@", without_password(word))


def _quoted(word: str) -> str:
    """As a shell takes it; an ellipsis needs no quotes."""
    return word if shlex.quote(plain := word.replace("…", "x")) == plain else shlex.quote(word)


class SecretText(str):
    """A text whose repr has no passwords: debuggers and test runners show the arguments of functions."""

    def __repr__(self) -> str:
        return repr(without_password(self))


def is_secret(name: str) -> bool:
    """Is an option of this name one whose value nobody should see?"""
    return _SECRET_NAME.fullmatch(name) is not None


def masked(data: Any) -> Any:
    """YAML data for an error message: no passwords in its texts, secret options as an ellipsis."""
    if isinstance(data, str):
        return without_password(data)
    if isinstance(data, Mapping):
        return {key: _hidden(value) if is_secret(key) else masked(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked(item) for item in data]
    return data


def _hidden(value: Any) -> Any:
    """Another value of the same type, so that the complaint about it is the same."""
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return (
        value
        if value is None or isinstance(value, bool)
        else "…"
        if isinstance(value, str)
        else type(value)()
    )


def without_secrets(data: Any) -> Any:
    """YAML data for a file: no passwords in its texts, secret options left out."""
    if isinstance(data, str):
        return without_password(data)
    if isinstance(data, Mapping):
        return {key: without_secrets(value) for key, value in data.items() if not is_secret(key)}
    if isinstance(data, list | tuple):
        return [without_secrets(item) for item in data]
    return data
