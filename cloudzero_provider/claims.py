"""
Claims: what each task of a DAG run is about to write, published for the others.

Parts of a month that are sent one after the other with ``replace_drop`` replace each other. So each task publishes what
it is about to write just before its first write, then looks at what the others have published, and refuses to replace
it. Of two tasks at the same time, at least one sees the other, so both never go on.
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
    def described(self) -> str:
        """What is written, for an error: ``2 rows of 2026-03 to AnyCost stream …``."""

    @property
    def unchecked(self) -> int:
        """How many records other tasks can't compare with theirs, since a claim holds a limited number."""

    def as_claim(self) -> dict[str, Any]:
        """Write it as JSON values, for other tasks to read."""

    def other(self, claim: Mapping[str, Any]) -> Write | None:
        """
        Read the claim of another task.

        :return: ``None`` when that is a write to another target, which this one can't replace.
        :raises KeyError, IndexError, TypeError, ValueError: when it can't be read.
        """

    def replaces(self, other: Any) -> str | None:
        """
        Say what of another write this one replaces, for an error; ``None`` when nothing.

        :param other: as :meth:`other` returned it.
        """


class Claims(Protocol):
    """Where the tasks of a DAG run publish what they are about to write."""

    def claim(self, write: Write) -> None:
        """
        Publish what is about to be written. Called once, just before the first write.

        :param write: what is about to be written.
        :raises ReplacesSameRunError: when it would replace what another task of the run wrote.
        :raises ClaimError: when the claims can't be written or read.
        """

    def nothing_written(self) -> None:
        """Withdraw the claim, because the first write was certainly not applied."""


def comparable_url(base_url: str) -> str:
    """
    Normalize a base URL, so that equal servers have equal URLs.

    :param base_url: ``scheme://host`` or ``scheme://host:port``.
    """
    url = urlsplit(base_url)
    return base_url.removesuffix(f":{_DEFAULT_PORTS.get(url.scheme)}")


@contextmanager
def claimed(claims: Claims | None, write: Callable[[], Write]) -> Iterator[None]:
    """
    Claim what the block writes, and withdraw the claim if nothing was written.

    :param claims: ``None`` where there is no DAG run with other tasks.
    :param write: describes what the block is about to write.
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
