"""Read JSON files: an array of objects, or one object per line. Numbers stay exact."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import Any, NoReturn, TextIO

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.rows import Rows, blocks_of, columns_of, is_text
from cloudzero_provider.sources.text_files import UNREADABLE, open_text, unreadable

_Objects = Iterator[tuple[int, dict[str, Any]]]
_SPACE = re.compile(r"[ \t\r\n]*")
_EXPECTED = "expected an array of objects ([…]) or one object per line"


def read_json(name: str, path: str) -> Rows:
    """
    Read a file of objects: an array, or a sequence, usually one per line.

    A single object that wraps the rows in a list, as many APIs return, is refused.

    :param name: the file's name, for errors.
    :param path: the local path.
    :raises InputError: naming file and line.
    """
    return _read(name, path, _json)


def read_json_lines(name: str, path: str) -> Rows:
    """
    Read a file as :func:`read_json` does, but treat every object as a row and an empty file as one without rows.

    :param name: the file's name, for errors.
    :param path: the local path.
    :raises InputError: naming file and line.
    """
    return _read(name, path, _json_lines)


def _read(name: str, path: str, read: Callable[[TextIO], _Objects]) -> Rows:
    lines = array("Q")

    def noted(found: _Objects) -> Iterator[dict[str, Any]]:
        for line, row in found:
            lines.append(line)
            yield row

    with open_text(path) as stream:
        try:
            columns, count = columns_of(blocks_of(noted(read(stream))))
        except _InvalidJsonError as error:
            raise InputError(f"{name}, line {error.line:,}: {error}.") from None
        except UNREADABLE as error:
            raise InputError(unreadable(error, name, path, lines[-1] if lines else 0)) from None
    return Rows(columns, count, lambda index: f"{name}, line {lines[index]:,}")


class _InvalidJsonError(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _json(stream: TextIO) -> _Objects:
    line, text = _first_line(stream)
    if not text:
        raise _InvalidJsonError(1, f"the file is empty: {_EXPECTED}")
    return _array(stream, text, line) if text[0] == "[" else _without_wrapper(_one_by_one(stream, text, line))


def _json_lines(stream: TextIO) -> _Objects:
    line, text = _first_line(stream)
    return _array(stream, text, line) if text[:1] == "[" else _one_by_one(stream, text, line)


def _first_line(stream: TextIO) -> tuple[int, str]:
    """Return the first line that is not blank, and its number."""
    for number, line in enumerate(stream, start=1):
        if text := line.lstrip():
            return number, text
    return 1, ""


def _without_wrapper(rows: _Objects) -> _Objects:
    """Refuse the reply of an API: a single object with the rows in a list."""
    first = list(islice(rows, 2))
    if len(first) == 1:
        ((line, row),) = first
        for name, value in row.items():
            if isinstance(value, list) and (len(row) == 1 or _are_rows(value)):
                raise _InvalidJsonError(
                    line,
                    f"the file is one object, and its {name!r} is a list. If that list holds the rows, write only the "
                    "list; if the object is a row, name the file .jsonl",
                )
    yield from first
    yield from rows


def _are_rows(values: list[Any]) -> bool:
    """Whether a list holds objects other than the tags of a FOCUS row."""
    return bool(values) and all(
        isinstance(value, dict) and not {"key", "value"} <= set(map(str.lower, value)) for value in values
    )


def _one_by_one(stream: TextIO, text: str, line: int) -> _Objects:
    """Read objects outside an array. The whole text is held in memory only if they are not one per line."""
    if not text or _is_object(text):
        return _lines(chain([text], stream), line)
    return _sequence(text + stream.read(), line)


def _is_object(text: str) -> bool:
    """Whether a line is exactly one object."""
    try:
        _, end = _object_at(text, 0, 1)
    except _InvalidJsonError:
        return False
    return not text[end:].strip()


def _lines(lines: Iterable[str], first: int) -> _Objects:
    for number, line in enumerate(lines, start=first):
        text = line.strip()
        if text:
            row, end = _object_at(text, 0, number)
            if end != len(text):
                raise _InvalidJsonError(
                    number, "more than one JSON object; write an array of objects in brackets ([…])"
                )
            yield number, row


def _sequence(text: str, line: int) -> _Objects:
    """Read objects that span several lines, or share one."""
    place, counted = 0, 0
    while place < len(text):
        line, counted = line + text.count("\n", counted, place), place
        if text[place] != "{":
            raise _InvalidJsonError(line, _EXPECTED)
        row, place = _object_at(text, place, line)
        yield line, row
        place = _skip_space(text, place)


def _array(stream: TextIO, text: str, line: int) -> _Objects:
    text += stream.read()
    place, counted = _skip_space(text, 1), 0
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        row, place = _object_at(text, place, line)
        yield line, row
        place = _skip_space(text, place)
        if text[place : place + 1] == ",":
            place = _skip_space(text, place + 1)
            if text[place : place + 1] == "]":
                raise _InvalidJsonError(line, "expected an object after the comma")
        elif text[place : place + 1] != "]":
            raise _InvalidJsonError(line + text.count("\n", counted, place), "the array is incomplete: expected , or ]")
    if _skip_space(text, place + 1) != len(text):
        raise _InvalidJsonError(line, "unexpected text after the array")


def _skip_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _object_at(text: str, place: int, line: int) -> tuple[dict[str, Any], int]:
    place = _skip_space(text, place)
    try:
        row, end = _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        broken = line + text.count("\n", place, error.pos)
        raise _InvalidJsonError(broken, f"not valid JSON ({error.msg})") from None
    except ArithmeticError:
        raise _InvalidJsonError(line, "a number that is too large or too small") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _InvalidJsonError(line, reason) from None
    if not isinstance(row, dict):
        raise _InvalidJsonError(line, f"expected a JSON object, not {type(row).__name__}")
    if not all(map(is_text, row)):
        raise _InvalidJsonError(line, "names are non-empty Unicode text")
    return row, end


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser accepts."""
    raise ValueError(f"{name} is not valid JSON")


class DuplicateKeyError(ValueError):
    """A key appears twice in one object."""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """
    Build an object from its keys and values (``object_pairs_hook``); Python's parser keeps the last of two equal keys.

    :raises DuplicateKeyError: when a key appears twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DuplicateKeyError("duplicate key in an object")
    return found


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=refuse_constant, object_pairs_hook=unique_keys)
