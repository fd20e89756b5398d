"""Write the problems of rows as CSV or JSON lines, and tell such a file from any other."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import lru_cache
from itertools import islice
from typing import IO, TYPE_CHECKING

from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloudzero_provider.exceptions import Problem

#: What the file says of each problem.
FIELDS = ("where", "column", "value", "rule")
#: Bytes that are enough to recognize a list.
HEAD_BYTES = 65_536

_BLOCK = 10_000
#: Would begin another line, or break the file: reading it line by line finds one problem on each.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Spreadsheets calculate cells that begin so, which may send what other cells hold to a server.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def ending_of_list(path: str, parameter: str) -> str:
    """
    Return the extension that says how problems are written.

    :param path: of the list.
    :param parameter: the parameter's name, for the error.
    :raises ConfigurationError: for any other extension.
    """
    for ending in _WRITERS:
        if path.lower().endswith(ending):
            return ending
    raise ConfigurationError(f"{parameter} is {path!r}: expected a file that ends in {', '.join(_WRITERS)}.")


def write_list(problems: Iterable[Problem], file: IO[bytes], ending: str) -> None:
    """
    Write problems, one on each line.

    :param problems: in the order of the rows.
    :param file: open for writing bytes.
    :param ending: the file's extension.
    """
    for text in _WRITERS[ending](problems):
        # A lone surrogate can't be encoded; written so, it is valid JSON.
        file.write(text.encode(errors="backslashreplace"))


def is_list(head: bytes, ending: str) -> bool:
    """
    Whether a file is a list of problems, as :func:`write_list` writes it.

    :param head: its first bytes, up to :data:`HEAD_BYTES`.
    :param ending: its extension.
    """
    line = head.partition(b"\n")[0].strip()
    if ending == ".csv":
        return line == ",".join(FIELDS).encode()
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and tuple(found) == FIELDS


def _csv(problems: Iterable[Problem]) -> Iterator[str]:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(FIELDS)
    # Columns and most rules are the same in many problems.
    repeated = lru_cache(maxsize=1_000)(_cell)
    for block in _blocks(problems):
        writer.writerows((_cell(p.where), repeated(p.column), _cell(p.value), repeated(p.rule)) for p in block)
        yield lines.getvalue()
        lines.seek(0)
        lines.truncate()
    yield lines.getvalue()


def _cell(text: str | None) -> str | None:
    if text is None:
        return None
    line = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return f"'{line}" if _FORMULA.match(line) and not _NUMBER.fullmatch(line) else line


def _json_lines(problems: Iterable[Problem]) -> Iterator[str]:
    for block in _blocks(problems):
        yield "".join(f"{json.dumps(_as_dict(problem), ensure_ascii=False)}\n" for problem in block)


def _as_dict(problem: Problem) -> dict[str, str | None]:
    return dict(zip(FIELDS, (problem.where, problem.column, problem.value, problem.rule), strict=True))


def _blocks(problems: Iterable[Problem]) -> Iterator[list[Problem]]:
    iterator = iter(problems)
    while block := list(islice(iterator, _BLOCK)):
        yield block


_WRITERS: dict[str, Callable[[Iterable[Problem]], Iterator[str]]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
