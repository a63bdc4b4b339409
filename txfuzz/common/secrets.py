"""Removes passwords from text, command lines and options before they are shown or written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

# A password may contain characters that should have been percent-encoded: it extends to the last @.
_USERINFO = re.compile(r"(\w[\w+.-]*://)([^:@/?#]*):.*@", re.DOTALL)
_SECRET = r"(?:\w*(?:password|passwd|pwd|secret|token|api_?key)|(?:\w*_)?pass)"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
# Commands are not ours to check, so more words count as secret there.
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
# Option → commands that take a password after it, as the next word or as the rest of this one
_OPTIONS = {
    "-p": frozenset({"sshpass"}),
    "-a": frozenset({"redis-cli", "valkey-cli"}),
    "-P": frozenset({"sqlcmd", "bcp", "isql", "tsql"}),
}
# For these only in the same word: `-p` alone prompts, or is a port
_ATTACHED = re.compile(r"(?:mysql|mariadb)[\w-]*")
_USER = re.compile(r"(-u|-U|--user|--proxy-user|--username)(=?)(.*)", re.DOTALL)
_DSN = re.compile(r"(?<![^\s=])([^\s:@/=]*):[^\s@/…]+@")  # user:password@tcp(host)/name
_ASSIGNED = re.compile(rf"(?<!\w){_SECRET}\s*=", re.IGNORECASE)
_KEYWORD = re.compile(rf"(?<!\w){_SECRET}\s*=\s*(?:'(?:[^'\\]|\\.)*'?|\S*)\s*", re.IGNORECASE | re.DOTALL)


def without_password(text: str) -> str:
    """The text without the passwords of URLs (user:pass@, ?password=) and connection strings (password=…).

    When in doubt, too much is removed.
    """
    if "://" in text:
        text = _USERINFO.sub(lambda found: found[1] + (f"{found[2]}@" if found[2] else ""), text)
        url, mark, query = text.partition("?")
        kept = [part for part in query.split("&") if not _ASSIGNED.search(unquote(part))]
        text = url + (mark if kept != [] and mark else "") + "&".join(kept)
    return _KEYWORD.sub("", text) if _ASSIGNED.search(text) else text


def command_without_secrets(command: str) -> str:
    """A command line with an ellipsis in place of passwords.

    Covers what without_password() covers, `NAME=…` and `--name …` with secret-sounding names, `user:…@`,
    `-u user:…`, headers (`Authorization: Bearer …`) and password options of known programs
    (`sshpass -p …`), also inside `sh -c`. When in doubt, too much is removed.
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
        elif following and _HEADER.fullmatch(f"{word} x"):  # Bearer … as separate words
            shown[place + 1] = "…"
    return command if shown == words else " ".join(map(_quoted, shown))


_PROGRAMS = frozenset().union(*_OPTIONS.values())


def _is_told(name: str) -> bool:
    """Is the value of this name in a command secret? When in doubt yes, except for locations of secrets."""
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
    """Quoted for a shell; an ellipsis needs no quotes."""
    return word if shlex.quote(plain := word.replace("…", "x")) == plain else shlex.quote(word)


class SecretText(str):
    """Text whose repr has no passwords, for debuggers and test runners that show arguments."""

    def __repr__(self) -> str:
        return repr(without_password(self))


def is_secret(name: str) -> bool:
    """Is the value of an option with this name secret?"""
    return _SECRET_NAME.fullmatch(name) is not None


def masked(data: Any) -> Any:
    """YAML data for an error message: without passwords, secret options as an ellipsis."""
    if isinstance(data, str):
        return without_password(data)
    if isinstance(data, Mapping):
        return {key: _hidden(value) if is_secret(key) else masked(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked(item) for item in data]
    return data


def _hidden(value: Any) -> Any:
    """Another value of the same type, so that errors about it stay the same."""
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
    """YAML data for a file: without passwords and secret options."""
    if isinstance(data, str):
        return without_password(data)
    if isinstance(data, Mapping):
        return {key: without_secrets(value) for key, value in data.items() if not is_secret(key)}
    if isinstance(data, list | tuple):
        return [without_secrets(item) for item in data]
    return data
