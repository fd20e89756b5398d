"""What ``files`` names: paths, URIs and patterns, in lists of any depth, or in the text that a template made of one."""

from __future__ import annotations

import ast
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Protocol

from cloudzero_provider.exceptions import ConfigurationError, InputError

#: What the names of files may end in.
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
#: What a template makes of a value that is not text: a list, a dict, an object, None.
_RENDERED = re.compile(r"\[.*\]|\(.*\)|\{.*\}|<.*>|\w+\(.*\)|None", re.DOTALL)
_HINT = (
    "If a template made it, hand over the task's output itself (files=task.output, or the value a @task function "
    "returned), or set render_template_as_native_obj=True in the DAG."
)
#: Lists in lists come from tasks that return lists; more than a few levels are a mistake.
_DEEPEST = 10


class FileStore(Protocol):
    """Where files are that have a URI, like ``s3://bucket/key``."""

    def find(self, uri: str) -> list[str]:
        """Which files a URI with a pattern (``*``, ``?``, ``[…]``) in it names."""

    def fetch(self, uri: str, file: IO[bytes]) -> None:
        """Copy a file here. Raises an ``InputError`` when it is not there or may not be read."""


def named_files(files: Any, store: FileStore | None) -> list[str]:
    """
    Find the files that are named, each once.

    :param files: a path, a URI or a pattern; or a list of those, or of such lists, as mapped tasks return them; or the
        text of such a list, as a template renders it.
    :param store: for URIs.
    :raises InputError: when something else is among them, a pattern fits no file, or two are the same file.
    """
    if files is None:
        raise InputError("files is None: the upstream task returned no path.")
    if not _is_path(files) and (isinstance(files, (bytes, Mapping)) or not isinstance(files, Iterable)):
        raise InputError(f"files is a {type(files).__name__}: expected a path, or a list of paths.")
    names: list[str] = []
    for place, given in _paths(files, "files", 0):
        names.extend(_named(given, place, store))
    if not names:
        raise InputError("files is an empty list: name at least one file.")
    return _distinct(names)


def ending_of(name: str) -> str:
    """
    Find the ending that says what a file is.

    :param name: of the file.
    :raises InputError: for another one.
    """
    for ending in ENDINGS:
        if name.lower().endswith(ending):
            return ending
    raise InputError(f"{name}: expected a file that ends in {', '.join(ENDINGS)}.{_hint(name)}")


def without_folders(found: Mapping[str, bool]) -> list[str]:
    """
    Take the files of what a pattern fits. A folder that is called like a file may be a table, as Spark writes them.

    :param found: name → whether it is a folder.
    :raises InputError: when the pattern fits such a folder, but no file in it.
    """
    files = [name for name, is_folder in found.items() if not is_folder]
    for name in sorted(found.keys() - files):
        folder = name.rstrip("/")
        if folder.lower().endswith(ENDINGS) and not any(file.startswith(f"{folder}/") for file in files):
            raise InputError(f"{folder} is a folder: name the files in it, as in {folder}/*.")
    return files


def _is_path(value: Any) -> bool:
    """Whether it is one path: text, a path of Python's, or one of Airflow's object storage."""
    return isinstance(value, (str, os.PathLike)) or hasattr(value, "protocol")


def _paths(given: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Walk through lists in lists; what is in them, with its place for error messages."""
    listed = _rendered_list(given) if isinstance(given, str) else given
    if listed is None or _is_path(listed) or isinstance(listed, (bytes, Mapping)) or not isinstance(listed, Iterable):
        yield (place if depth else "files[0]"), given
        return
    if depth > _DEEPEST:
        raise InputError(f"{place}: lists in lists, {_DEEPEST} deep: expected a list of paths.")
    for number, item in enumerate(listed):
        yield from _paths(item, f"{place}[{number}]", depth + 1)


def _rendered_list(text: str) -> list[Any] | None:
    """Read the text that a template makes of a list, or JSON of it; no name of a file is written like that."""
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


def _named(given: Any, place: str, store: FileStore | None) -> list[str]:
    """Find the files that one path names."""
    name = _checked_name(given, place)
    is_uri = "://" in name
    if not _PATTERN.search(name) or (not is_uri and os.path.exists(name)):
        return [name]
    found = store_for(name, store).find(name) if is_uri else _find(name)
    if not found:
        raise InputError(f"{name}: no file has a name like that.{_hint(name)}")
    return sorted(found)


def _checked_name(given: Any, place: str) -> str:
    if not _is_path(given) or (isinstance(given, os.PathLike) and not isinstance(os.fspath(given), str)):
        raise InputError(f"{place} is a {type(given).__name__}, not a path.")
    name = os.fspath(given) if isinstance(given, os.PathLike) else str(given)
    if "\0" in name:
        raise InputError(f"{place} is {name!r}: a path holds no NUL character.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise InputError(f"{place} is {name!r}: no valid Unicode text.") from None
    if not name:
        raise InputError(f"{place} is an empty text, not a path.")
    return name


def _hint(name: str) -> str:
    return f" {_HINT}" if _RENDERED.fullmatch(name.strip()) else ""


def _find(pattern: str) -> list[str]:
    found = {name: os.path.isdir(name) for name in glob.glob(pattern, recursive=True)}
    return without_folders(found)


def store_for(uri: str, store: FileStore | None) -> FileStore:
    """Give the store of a URI, or say that there is none."""
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
