"""Explain a missing local file: with several workers, it may be on the machine of another one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cloudzero_provider.airflow_support.compat import executor_of
from cloudzero_provider.exceptions import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Executors that run all tasks on one machine.
_LOCAL = frozenset({"LocalExecutor", "SequentialExecutor", "DebugExecutor"})


@contextmanager
def local_files_explained(task: Any) -> Iterator[None]:
    """
    Add to the error of a missing local file that tasks run on several machines, if they do.

    :param task: the running task.
    """
    try:
        yield
    except MissingFileError as error:
        if error.is_local and (executor := executor_of(task)) not in _LOCAL:
            error.add_sentence(
                f"With {executor}, tasks run on several machines, each with files of its own: if another task writes "
                "this one, have it write to storage that all of them read, like s3:// or a shared volume."
            )
        raise
