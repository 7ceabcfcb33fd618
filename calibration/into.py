"""What was found is written into a profile's file; its comments and all other lines stay."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from calibration.complaints import ProfileError
from calibration.profile import SHIPPED, Profile, from_dict

Value = float | int | str | bool | Sequence["Value"] | Mapping[str, "Value"]
Keys = Mapping[str, Value]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.]+)\s*\]\]?\s*(#.*)?$")


def write_into(file: Path, tables: Mapping[str, Keys]) -> Profile:
    """Set keys of tables in a profile's file, whole or not at all, and read it back.

    tables: keys by table, such as "workspace"; "cameras.NAME" and "cameras.NAME.lens" are a
    camera's own. Raises ProfileError where the profile would not hold, or is a shipped one.
    """
    text = writable(file)
    for name, keys in tables.items():
        text = _with(text, name, keys, str(file))
    found = from_dict(tomllib.loads(text), str(file))
    staged = file.with_name(file.name + ".new")
    staged.write_text(text, "utf-8")
    staged.replace(file)
    return found


def writable(file: Path) -> str:
    """The text of a profile that may be written into. Raises ProfileError for any other."""
    if file.resolve().parent == SHIPPED.resolve():
        raise ProfileError(
            f"a profile of your own wanted, {file.name} is shipped with this program; copy it "
            f"first: cp {file} my-cell.toml"
        )
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ProfileError(
            f"profile {file} cannot be read: {error.strerror}; give the file that --profile names"
        ) from error


def _with(text: str, name: str, keys: Keys, origin: str) -> str:
    lines = text.splitlines()
    if name.startswith("cameras."):
        _, camera, *rest = name.split(".")
        first, last = _camera(lines, camera, origin)
        if not rest:
            block = _set(lines[first : _end(lines, first)], keys)
            return _joined([*lines[:first], *block, *lines[_end(lines, first) :]])
        inner = lines[first:last]
        header = f"[cameras.{rest[0]}]"
        return _joined([*lines[:first], *_in(inner, header, keys), *lines[last:]])
    return _joined(_in(lines, f"[{name}]", keys))


def _in(lines: list[str], header: str, keys: Keys) -> list[str]:
    """The lines with these keys under a header, which is added at the end where it is not there."""
    at = next((n for n, line in enumerate(lines) if _plain(line) == header), None)
    if at is None:
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        return [*lines, "", header, *(f"{key} = {_toml(value)}" for key, value in keys.items()), ""]
    end = _end(lines, at)
    return [*lines[:at], *_set(lines[at:end], keys), *lines[end:]]


def _set(block: list[str], keys: Keys) -> list[str]:
    """A header and its lines with keys set: in the place of the old value, else after the last."""
    for key, value in keys.items():
        line = f"{key} = {_toml(value)}"
        at = next((n for n, old in enumerate(block) if re.match(rf"\s*{key}\s*=", old)), None)
        if at is None:
            last = max(n for n, old in enumerate(block) if old.strip())
            block = [*block[: last + 1], line, *block[last + 1 :]]
            continue
        end = at + 1
        # A value may go on over several lines, until its brackets are closed.
        while end < len(block) and not _whole("\n".join(block[at:end])):
            end += 1
        block = [*block[:at], line, *block[end:]]
    return block


def _whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _camera(lines: list[str], name: str, origin: str) -> tuple[int, int]:
    """First line of a camera's table, and the line after the last of it and its own tables."""
    starts = [n for n, line in enumerate(lines) if _plain(line) == "[[cameras]]"]
    for first in starts:
        told = "\n".join(lines[first : _end(lines, first)])
        if tomllib.loads(told)["cameras"][0].get("name") != name:
            continue
        last = _end(lines, first)
        while last < len(lines) and _plain(lines[last]).startswith("[cameras."):
            last = _end(lines, last)
        return first, last
    raise ProfileError(f"profile {origin}: cameras: one called {name!r} wanted, found none")


def _end(lines: list[str], header: int) -> int:
    """The line after the table that begins at a header."""
    later = (n for n in range(header + 1, len(lines)) if _HEADER.match(lines[n]))
    end = next(later, len(lines))
    # Comments right above a header are about it.
    while end < len(lines) and end - 1 > header and lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return end


def _plain(line: str) -> str:
    found = _HEADER.match(line)
    if found is None:
        return ""
    return f"[[{found[2]}]]" if found[1] == "[[" else f"[{found[2]}]"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return repr(round(value, 9)) if isinstance(value, float) else str(value)
