"""The parameter ``problems_file``: every problem of the rows in a file, when they break rules."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError
from cloudzero_provider.values.problem_files import HEAD_BYTES, ending_of_list, is_list, write_list
from cloudzero_provider.values.problems import kept_problems
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudzero_provider.exceptions import Problem

log = logging.getLogger(__name__)

_PARAMETER = "problems_file"
_SHOWN_ERROR = 300


class ListStore(Protocol):
    """Storage of files that have a URI, like ``s3://bucket/key``, which can also be written."""

    def head(self, uri: str, size: int) -> bytes | None:
        """Return the first bytes of a file; ``None`` if there is none."""

    def upload(self, file: IO[bytes], uri: str) -> None:
        """Copy a local file to a URI, and replace what is there."""

    def remove(self, uri: str) -> None:
        """Delete a file."""


@contextmanager
def listing_problems(path: Any, store: ListStore) -> Iterator[None]:
    """
    List every problem in a file when rows break rules inside the block. The error then also names the file.

    The list of an earlier attempt is deleted first: there is a list exactly when the last attempt found problems.

    :param path: of the list: a path, or a URI.
    :param store: for URIs.
    :raises ConfigurationError: before the block, when the path can't be used, or has a file that is not such a list.
    """
    problem_list = _ProblemList.at(path, store)
    problem_list.remove_earlier()
    with kept_problems() as kept:
        try:
            yield
        except InvalidRowsError as error:
            problem_list.add(error, kept.of(error), is_complete=kept.is_of(error))
            raise


@dataclass(frozen=True)
class _ProblemList:
    path: str
    ending: str
    store: ListStore

    @classmethod
    def at(cls, path: Any, store: ListStore) -> _ProblemList:
        name = str(path)
        if not (isinstance(path, (str, os.PathLike)) or hasattr(path, "protocol")) or "\0" in name:
            raise ConfigurationError(f"{_PARAMETER} is {path!r}: expected a path or a URI.")
        return cls(name, ending_of_list(name, _PARAMETER), store)

    @property
    def _is_uri(self) -> bool:
        return "://" in self.path

    def remove_earlier(self) -> None:
        try:
            head = self.store.head(self.path, HEAD_BYTES) if self._is_uri else _local_head(self.path)
            if not head:
                return
            if not is_list(head, self.ending):
                raise ConfigurationError(
                    f"{_PARAMETER} is {self.path!r}: that file exists and is not a list of problems, so it is not "
                    "replaced. Nothing was sent."
                )
            remove = self.store.remove if self._is_uri else os.unlink
            remove(self.path)
            log.info("%s: deleted the problems of an earlier attempt, %s", _PARAMETER, self.path)
        except ConfigurationError:
            raise
        except Exception as error:
            # Good rows need no list, so an outage of the storage must not keep them from being sent.
            log.warning("%s: can't look for the problems of an earlier attempt: %s", _PARAMETER, _shown(error))

    def add(self, error: InvalidRowsError, problems: Iterable[Problem], *, is_complete: bool) -> None:
        """Write the list, and say in the error where it is, or why there is none."""
        try:
            self._write(problems)
        except Exception as failure:
            error.add_line(f"The list of all problems could not be written to {self.path}: {_shown(failure)}.")
        else:
            error.problems_file = self.path
            error.add_line(f"{self.path} lists {'every problem' if is_complete else 'the first of them'}.")

    def _write(self, problems: Iterable[Problem]) -> None:
        if not self._is_uri:
            with whole_file(self.path) as file:
                write_list(problems, file, self.ending)
            return
        with tempfile.TemporaryFile(prefix="cloudzero-") as file:
            write_list(problems, file, self.ending)
            file.seek(0)
            self.store.upload(file, self.path)


def _local_head(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise ConfigurationError(f"{_PARAMETER} is {path!r}: that is a folder.") from None


def _shown(error: BaseException) -> str:
    told = " ".join(str(error).split()) or "no details"
    told = told if len(told) <= _SHOWN_ERROR else f"{told[:_SHOWN_ERROR]}…"
    return told.rstrip(".") if isinstance(error, InputError) else f"{type(error).__name__}: {told.rstrip('.')}"
