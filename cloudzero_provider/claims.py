"""
Claims: what each task of a DAG run is about to write, published for the run's other tasks.

Tasks that each send a part of a month with ``replace_drop`` replace each other's rows. So each task publishes a claim
just before its first write, then reads the claims of the others, and refuses to replace what they wrote. Of two tasks
that run at the same time, at least one sees the other's claim, so they can't both go on.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from cloudzero_provider.exceptions import CloudZeroError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_DEFAULT_PORTS = {"https": 443, "http": 80}


class Write(Protocol):
    """What a task is about to write."""

    @property
    def description(self) -> str:
        """What is written, for an error: ``2 rows of 2026-03 to AnyCost stream …``."""

    @property
    def uncompared(self) -> int:
        """Number of records that other tasks can't compare with theirs, since a claim holds a limited number."""

    def as_claim(self) -> dict[str, Any]:
        """Return the claim as plain JSON values, for other tasks to read."""

    def read_claim(self, claim: Mapping[str, Any]) -> Write | None:
        """
        Read the claim of another task.

        :return: ``None`` for a write to another target, which this one can't replace.
        :raises KeyError, IndexError, TypeError, ValueError: when it can't be read.
        """

    def replaces(self, other: Any) -> str | None:
        """
        Describe what this write replaces of another one, for an error; ``None`` for nothing.

        :param other: as :meth:`read_claim` returned it.
        """


class Claims(Protocol):
    """Where the tasks of a DAG run publish what they are about to write."""

    def claim(self, write: Write) -> None:
        """
        Publish the claim, and compare it with the others. Called once, just before the first write.

        :param write: what is about to be written.
        :raises ReplacesSameRunError: when it would replace what another task of the run wrote.
        :raises ClaimError: when the claims can't be written or read.
        """

    def nothing_written(self) -> None:
        """Withdraw the claim, because nothing was written."""


def comparable_url(base_url: str) -> str:
    """
    Drop the default port from a base URL, so that URLs of the same server are equal.

    :param base_url: ``scheme://host`` or ``scheme://host:port``.
    """
    url = urlsplit(base_url)
    return base_url.removesuffix(f":{_DEFAULT_PORTS.get(url.scheme)}")


@contextmanager
def claimed(claims: Claims | None, write: Callable[[], Write]) -> Iterator[None]:
    """
    Claim what the block writes, and withdraw the claim if nothing was written.

    :param claims: the claims of the DAG run; ``None`` outside a DAG run.
    :param write: returns what the block is about to write.
    """
    if claims is None:
        yield
        return
    claims.claim(write())
    try:
        yield
    except CloudZeroError as error:
        if error.nothing_written:
            claims.nothing_written()
        raise
