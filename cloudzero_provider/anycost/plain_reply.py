"""
Parse the reply that holds a month, when it is as documented: several times as fast as the parser for any reply.

Whatever is not exactly that (another shape, a value that is not text, invalid JSON) is left to
:mod:`cloudzero_provider.anycost.month_reply`, which reads it, or reports what is wrong.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.anycost.month_reply import Row

_BLOCK = 1024 * 1024
_BEGINNING = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"billing_drop"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
_BETWEEN = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_END = re.compile(r"[ \t\r\n]*\][ \t\r\n]*\}[ \t\r\n]*")


class NotPlainError(Exception):
    """The reply is not exactly as documented."""


def plain_rows_of(file: BinaryIO) -> Iterator[Row]:
    """
    Yield the rows of a reply.

    :param file: the reply, as CloudZero sent it.
    :raises NotPlainError: as soon as anything is not as documented, possibly after some rows.
    """
    file.seek(0)
    try:
        yield from _Rows(_blocks(file))
    except (ValueError, RecursionError):
        raise NotPlainError from None


def _blocks(file: BinaryIO) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block := file.read(_BLOCK):
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


class _Rows:
    """The rows of a reply, of which only a part is in memory."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._text = next(blocks)
        beginning = _BEGINNING.match(self._text)
        if beginning is None:
            raise NotPlainError
        #: Where the previous row ended.
        self._position = beginning.end()
        self._is_first = True

    def __iter__(self) -> Iterator[Row]:
        for block in self._blocks:
            before = self._position
            yield from self._complete_rows()
            # A row that is longer than a block is left to the other parser, which knows how long rows may be.
            if self._position == before and len(self._text) - before > _BLOCK:
                raise NotPlainError
            self._text, self._position = self._text[self._position :] + block, 0
        yield from self._complete_rows()
        if not _END.fullmatch(self._text[self._position :]):
            raise NotPlainError

    def _complete_rows(self) -> Iterator[Row]:
        """Yield the rows that end within the text."""
        while (start := self._start_of_row()) is not None:
            try:
                row, self._position = _DECODER.raw_decode(self._text, start)
            except json.JSONDecodeError:
                # Incomplete, or not JSON.
                return
            self._is_first = False
            yield _checked(row)

    def _start_of_row(self) -> int | None:
        if self._is_first:
            return self._position if self._text.startswith("{", self._position) else None
        found = _BETWEEN.match(self._text, self._position)
        return found.end() if found else None


def _checked(row: dict[str, Any]) -> Row:
    kinds = set(map(type, row.values()))
    if kinds == {str}:
        return row
    if kinds != {str, type(None)}:
        raise NotPlainError
    return {name: value for name, value in row.items() if value is not None}


def _refuse(_: str) -> NoReturn:
    raise NotPlainError


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_int=_refuse, parse_constant=_refuse)
