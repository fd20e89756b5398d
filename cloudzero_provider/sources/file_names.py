"""Find the files that the parameter ``files`` names by paths, URIs and patterns."""

from __future__ import annotations

import ast
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Protocol

from cloudzero_provider.exceptions import ConfigurationError, InputError, MissingFileError

#: Extensions of files that can be read.
ENDINGS = (
    ".csv",
    ".csv.gz",
    ".json",
    ".json.gz",
    ".jsonl",
    ".jsonl.gz",
    ".ndjson",
    ".ndjson.gz",
    ".parquet",
)

_PATTERN = re.compile(r"[*?\[]")
#: What a template renders from a value that is not a string: a list, a dict, an object, None.
_RENDERED = re.compile(r"\[.*\]|\(.*\)|\{.*\}|<.*>|\w+\(.*\)|None", re.DOTALL)
_HINT = (
    "If a template rendered it, pass the task's output itself (files=task.output, or the value a @task function "
    "returned), or set render_template_as_native_obj=True in the DAG."
)
#: Nested lists come from tasks that return lists; more than a few levels are a mistake.
_DEEPEST = 10


class FileStore(Protocol):
    """Storage of files that have a URI, like ``s3://bucket/key``."""

    def find(self, uri: str) -> list[str]:
        """List the files that match a URI with a pattern (``*``, ``?``, ``[…]``)."""

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """Copy a file to a local one. Raises an ``InputError`` when it is missing or can't be read."""


def find_files(files: Any, store: FileStore | None) -> list[str]:
    """
    List the named files.

    :param files: a path, a URI or a pattern; a list of those, or of such lists, as mapped tasks return; or such
        a list as text, as a template renders it.
    :param store: for URIs.
    :raises InputError: when anything else is given, a pattern matches no file, or two names are the same file.
    """
    if files is None:
        raise InputError("files is None: the upstream task returned no path.")
    if not _is_path(files) and (isinstance(files, (bytes, Mapping)) or not isinstance(files, Iterable)):
        raise InputError(f"files is a {type(files).__name__}: expected a path, or a list of paths.")
    names: list[str] = []
    for place, given in _flattened(files, "files", 0):
        names.extend(_matching_files(given, place, store))
    if not names:
        raise InputError("files is an empty list: name at least one file.")
    return _distinct(names)


def ending_of(name: str) -> str:
    """
    Return the extension that says what a file is.

    :param name: the file's name.
    :raises InputError: when it is not one of :data:`ENDINGS`.
    """
    for ending in ENDINGS:
        if name.lower().endswith(ending):
            return ending
    raise InputError(f"{name}: expected a file that ends in {', '.join(ENDINGS)}.{_hint(name)}")


def without_folders(found: Mapping[str, bool]) -> list[str]:
    """
    Keep the files among the matches of a pattern. A folder named like a file may be a table written by Spark.

    :param found: each name, and whether it is a folder.
    :raises InputError: when the pattern matches such a folder but no file in it.
    """
    files = [name for name, is_folder in found.items() if not is_folder]
    for name in sorted(found.keys() - files):
        folder = name.rstrip("/")
        if folder.lower().endswith(ENDINGS) and not any(file.startswith(f"{folder}/") for file in files):
            raise InputError(f"{folder} is a folder: name the files in it, for example {folder}/*.")
    return files


def _is_path(value: Any) -> bool:
    """Whether a value is one path: text, a ``PathLike``, or a path of Airflow's object storage."""
    return isinstance(value, (str, os.PathLike)) or hasattr(value, "protocol")


def _flattened(given: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the items of nested lists, each with its place for errors."""
    listed = _rendered_list(given) if isinstance(given, str) else given
    if listed is None or _is_path(listed) or isinstance(listed, (bytes, Mapping)) or not isinstance(listed, Iterable):
        yield (place if depth else "files[0]"), given
        return
    if depth > _DEEPEST:
        raise InputError(f"{place}: lists nested more than {_DEEPEST} deep: expected a list of paths.")
    for number, item in enumerate(listed):
        yield from _flattened(item, f"{place}[{number}]", depth + 1)


def _rendered_list(text: str) -> list[Any] | None:
    """Parse a list that a template rendered, or JSON; no file name looks like either."""
    text = text.strip()
    if text[:1] + text[-1:] not in ("[]", "()"):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(found) if isinstance(found, (list, tuple)) else None
    return None


def _matching_files(given: Any, place: str, store: FileStore | None) -> list[str]:
    """List the files that one path names."""
    name = _checked_name(given, place)
    is_uri = "://" in name
    if not _PATTERN.search(name) or (not is_uri and os.path.exists(name)):
        return [name]
    found = store_for(name, store).find(name) if is_uri else _local_matches(name)
    if not found:
        if hint := _hint(name):
            raise InputError(f"{name}: no file matches.{hint}")
        raise MissingFileError(name, "no file matches")
    return sorted(found)


def _checked_name(given: Any, place: str) -> str:
    if not _is_path(given) or (isinstance(given, os.PathLike) and not isinstance(os.fspath(given), str)):
        raise InputError(f"{place} is a {type(given).__name__}, not a path.")
    name = os.fspath(given) if isinstance(given, os.PathLike) else str(given)
    if "\0" in name:
        raise InputError(f"{place} is {name!r}: a path can't contain a NUL character.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise InputError(f"{place} is {name!r}: not valid Unicode.") from None
    if not name:
        raise InputError(f"{place} is an empty string, not a path.")
    return name


def _hint(name: str) -> str:
    return f" {_HINT}" if _RENDERED.fullmatch(name.strip()) else ""


def _local_matches(pattern: str) -> list[str]:
    found = {name: os.path.isdir(name) for name in glob.glob(pattern, recursive=True)}
    return without_folders(found)


def store_for(uri: str, store: FileStore | None) -> FileStore:
    """Return the store of a URI; refuse the URI without one."""
    if store is None:
        raise ConfigurationError(f"{uri}: only files on this machine can be read here.")
    return store


def _distinct(names: list[str]) -> list[str]:
    """Refuse a file that is named twice: its rows would count twice."""
    found: dict[str, str] = {}
    for name in names:
        path = name.removeprefix("file://")
        real = path if "://" in path else os.path.realpath(path)
        if real in found:
            raise InputError(f"{name} is the same file as {found[real]}: its rows would count twice.")
        found[real] = name
    return names
