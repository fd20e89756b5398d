"""Airflow's pools, read and created with its own commands, ``airflow pools export`` and ``airflow pools import``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Of Airflow's column.
_LONGEST_NAME = 256
_STREAM = re.compile(r"[A-Za-z0-9_.-]+")
_DESCRIPTION = "One writer at a time on the CloudZero stream {stream}"


@dataclass(frozen=True)
class StreamPool:
    """
    The pool that tasks which write one stream share: it has one slot.

    :param name: of the pool.
    :param stream: the id of an AnyCost stream, or the name of a telemetry stream.
    """

    name: str
    stream: str

    @classmethod
    def of(cls, stream: str) -> StreamPool:
        """
        Return the pool of a stream.

        :param stream: the id of an AnyCost stream, or the name of a telemetry stream.
        :raises ConfigurationError: when it can't be one.
        """
        name = f"cloudzero_{stream}"
        if not _STREAM.fullmatch(stream) or len(name) > _LONGEST_NAME:
            raise ConfigurationError(
                f"{stream!r:.80} is neither the id of an AnyCost stream nor the name of a telemetry stream: expected "
                f"letters, digits, and _ . - (at most {_LONGEST_NAME - len('cloudzero_')})."
            )
        return cls(name, stream)


@dataclass(frozen=True)
class KnownPool:
    """
    A pool that exists.

    :param slots: how many it has; -1 for no limit.
    :param include_deferred: whether a task that waits in the triggerer keeps the slot.
    """

    slots: int
    include_deferred: bool


def existing_pools() -> dict[str, KnownPool]:
    """
    Return the pools in Airflow's database, by name.

    :raises ConfigurationError: when they can't be read.
    """
    with tempfile.TemporaryDirectory(prefix="cloudzero-") as folder:
        path = Path(folder, "pools.json")
        _airflow("export", path)
        return read_pools(path)


def read_pools(path: Path) -> dict[str, KnownPool]:
    """
    Read a file that ``airflow pools export`` wrote.

    :param path: of the file.
    :return: the pools, by name.
    :raises ConfigurationError: when it is not such a file.
    """
    try:
        pools = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): KnownPool(int(pool["slots"]), bool(pool.get("include_deferred"))) for name, pool in pools.items()
        }
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise ConfigurationError(f"{path}: expected a file that `airflow pools export` wrote.") from None


def create_pools(pools: Iterable[StreamPool], *, include_deferred: bool = False) -> None:
    """
    Create pools of one slot.

    :param pools: that do not exist: Airflow replaces the slots of one that does.
    :param include_deferred: whether a task that waits in the triggerer keeps the slot.
    :raises ConfigurationError: when Airflow refuses.
    """
    content = {
        pool.name: {
            "slots": 1,
            "description": _DESCRIPTION.format(stream=pool.stream),
            "include_deferred": include_deferred,
        }
        for pool in pools
    }
    if not content:
        return
    with tempfile.TemporaryDirectory(prefix="cloudzero-") as folder:
        path = Path(folder, "pools.json")
        path.write_text(json.dumps(content), encoding="utf-8")
        _airflow("import", path)


def _airflow(command: str, path: Path) -> None:
    arguments = [sys.executable, "-m", "airflow", "pools", command, str(path)]
    ran = subprocess.run(arguments, capture_output=True, check=False)  # noqa: S603
    if ran.returncode:
        # What it printed is not shown: it may hold the address of the database, with its password.
        raise ConfigurationError(
            f"`airflow pools {command}` failed. Is AIRFLOW_HOME that of your Airflow? `airflow pools list` shows what "
            "is wrong."
        )
