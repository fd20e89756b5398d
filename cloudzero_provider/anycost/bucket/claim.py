"""Claim of a bucket drop, for other tasks of the DAG run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

_KIND = "bucket_drop"


@dataclass(frozen=True)
class BucketWrite:
    """
    A month that is about to be written to a bucket.

    :param root: of the bucket.
    :param month: like ``2026-03``.
    :param rows: number of rows.
    """

    root: str
    month: str
    rows: int

    @property
    def description(self) -> str:
        """What is written, for an error."""
        return f"{counted(self.rows, 'row')} of {self.month} to {self.root}"

    @property
    def uncompared(self) -> int:
        """Always 0: a drop is the whole month."""
        return 0

    def as_claim(self) -> dict[str, Any]:
        """Return the claim as plain JSON values."""
        return {"kind": _KIND, **vars(self)}

    def read_claim(self, claim: Mapping[str, Any]) -> BucketWrite | None:
        """
        Read the claim of another task; ``None`` when it is about something else.

        :param claim: as :meth:`as_claim` returned it.
        """
        if claim["kind"] != _KIND or (claim["root"], claim["month"]) != (self.root, self.month):
            return None
        return BucketWrite(claim["root"], claim["month"], int(claim["rows"]))

    def replaces(self, other: BucketWrite) -> str:
        """
        Describe what this write replaces of another one.

        :param other: the other write.
        """
        del other
        return "a drop replaces the whole month"
