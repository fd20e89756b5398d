"""JSON files: an array of objects, or an object per line. Numbers are exact."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NoReturn, TextIO

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.lines import UNREADABLE, open_text, unreadable
from cloudzero_provider.sources.rows import Rows, columns_of, is_text

_Objects = Iterator[tuple[int, dict[str, Any]]]
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(name: str, path: str) -> Rows:
    """
    Read a file that holds an array of objects.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :raises InputError: naming file and line.
    """
    return _read(name, path, _array)


def read_json_lines(name: str, path: str) -> Rows:
    """
    Read a file that holds an object per line. An empty line is no row.

    :param name: of the file, as the user knows it.
    :param path: where it is.
    :raises InputError: naming file and line.
    """
    return _read(name, path, _lines)


def _read(name: str, path: str, objects: Callable[[TextIO], _Objects]) -> Rows:
    lines = array("Q")

    def noted(found: _Objects) -> Iterator[dict[str, Any]]:
        for line, row in found:
            lines.append(line)
            yield row

    with open_text(name, path) as stream:
        try:
            columns, count = columns_of(noted(objects(stream)))
        except _WrongError as error:
            raise InputError(f"{name}, line {error.line:,}: {error}.") from None
        except UNREADABLE as error:
            raise InputError(unreadable(error, name, path, lines[-1] if lines else 0)) from None
    return Rows(columns, count, lambda index: f"{name}, line {lines[index]:,}")


class _WrongError(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _lines(stream: TextIO) -> _Objects:
    for number, line in enumerate(stream, start=1):
        text = line.strip()
        if text:
            row, end = _object_at(text, 0, number)
            if end != len(text):
                raise _WrongError(number, "more than one JSON object; an array of objects is a .json file")
            yield number, row


def _array(stream: TextIO) -> _Objects:
    text = stream.read()
    place = _after_space(text, 0)
    if text[place : place + 1] != "[":
        raise _WrongError(1, "expected an array of objects ([…]); an object per line is a .jsonl file")
    place, line, counted = _after_space(text, place + 1), 1, 0
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        row, place = _object_at(text, place, line)
        yield line, row
        place = _after_space(text, place)
        if text[place : place + 1] == ",":
            place = _after_space(text, place + 1)
            if text[place : place + 1] == "]":
                raise _WrongError(line, "a comma, but no object after it")
        elif text[place : place + 1] != "]":
            raise _WrongError(line + text.count("\n", counted, place), "the array does not go on: expected , or ]")
    if _after_space(text, place + 1) != len(text):
        raise _WrongError(line, "there is more behind the array")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _object_at(text: str, place: int, line: int) -> tuple[dict[str, Any], int]:
    place = _after_space(text, place)
    try:
        row, end = _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        broken = line + text.count("\n", place, error.pos)
        raise _WrongError(broken, f"no valid JSON ({error.msg})") from None
    except ArithmeticError:
        raise _WrongError(line, "a number that is out of all bounds") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise _WrongError(line, reason) from None
    if not isinstance(row, dict):
        raise _WrongError(line, f"expected a JSON object, not {type(row).__name__}")
    if not all(map(is_text, row)):
        raise _WrongError(line, "names are non-empty Unicode text")
    return row, end


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's own reader takes."""
    raise ValueError(f"{name} is no JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=no_constant, object_pairs_hook=_no_twins)
