"""
The reply that holds a month, row by row.

It has no pages and may hold a million rows, so it is parsed as it comes off the disk. What does not look like rows is
an error and never "no rows", however deep or long it is.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson

from cloudzero_provider.exceptions import UnexpectedReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 8
# No text in a row is as long. The parser would hold all of it, and the time it takes grows with the square of that.
_BLOCK = 256 * 1024
_FEWEST_QUOTES = 16
# The parser's C code does not survive numbers that Python refuses to read.
_MOST_DIGITS = 4000
_ENDLESS_NUMBER = re.compile(rb"[0-9]{%d}" % _MOST_DIGITS)

Row = dict[str, str]


def rows_of(file: BinaryIO) -> Iterator[Row]:
    """
    Yield the rows of a reply.

    :param file: the reply, as CloudZero sent it.
    :raises UnexpectedReplyError: when it is no JSON, holds no list of rows, or more than one list that may be it.
    """
    _refuse_endless_values(file)
    file.seek(0)
    try:
        yield from _Rows(ijson.basic_parse(file))
    except (ijson.JSONError, UnicodeDecodeError, ArithmeticError) as error:
        raise UnexpectedReplyError(f"The contents of the month are no valid JSON ({type(error).__name__}).") from None


def _refuse_endless_values(file: BinaryIO) -> None:
    file.seek(0)
    tail = b""
    while block := file.read(_BLOCK):
        if _ENDLESS_NUMBER.search(tail + block):
            raise UnexpectedReplyError("The contents of the month hold a number of thousands of digits.")
        if len(block) == _BLOCK and block.count(b'"') - block.count(b'\\"') < _FEWEST_QUOTES:
            raise UnexpectedReplyError("The contents of the month hold a text without end.")
        tail = block[-_MOST_DIGITS:]


class _Rows:
    """Finds the list of rows: under the documented key, or the only list in the reply."""

    def __init__(self, events: Iterator[tuple[str, Any]]) -> None:
        self._events = events
        self._lists = 0

    def __iter__(self) -> Iterator[Row]:
        depth = 0
        for event, _value in self._events:
            if event == "start_array":
                self._count_list()
                yield from self._list()
            else:
                depth += {"start_map": 1, "end_map": -1}.get(event, 0)
                if depth > _DEEPEST:
                    raise _no_rows("something that is nested too deep")
        if not self._lists:
            raise _no_rows("no list")

    def _count_list(self) -> None:
        self._lists += 1
        if self._lists > 1:
            raise _no_rows("more than one list")

    def _list(self) -> Iterator[Row]:
        for event, _ in self._events:
            if event == "end_array":
                return
            if event != "start_map":
                raise _no_rows("a list of something else")
            yield self._row()

    def _row(self) -> Row:
        """Read a row to its end; where the reply ends before, the parser says so."""
        row: Row = {}
        key = ""
        while True:
            event, value = next(self._events)
            if event == "map_key":
                key = value
            elif event == "string":
                row[key] = value
            elif event == "end_map":
                if not row:
                    raise _no_rows("a row without a value")
                return row
            elif event == "number":
                row[key] = _number_text(value)
            elif event != "null":
                raise _no_rows(f"a value that is no text, in column {key[:80]!r}")


def _number_text(value: int | Decimal) -> str:
    """Write a number that should have been text; one with an endless exponent would fill the memory."""
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > _MOST_DIGITS:
            raise _no_rows("a number of thousands of digits")
        return format(value, "f")
    return str(value)


def _no_rows(what: str) -> UnexpectedReplyError:
    return UnexpectedReplyError(f"The contents of the month are not the documented list of rows: they hold {what}.")
