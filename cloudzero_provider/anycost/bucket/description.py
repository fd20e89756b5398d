"""What this package knows of a drop that it wrote, stored beside the drop's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cloudzero_provider.anycost.bucket.layout import is_plain_name
from cloudzero_provider.anycost.columns import COST

if TYPE_CHECKING:
    from cloudzero_provider.anycost.bucket.store import Listed

_WRITTEN_BY = "airflow-provider-cloudzero"


@dataclass(frozen=True)
class DropFile:
    """
    A file of a drop.

    :param name: in the drop's folder.
    :param rows: number of rows.
    :param size: in bytes, as stored.
    :param sha256: hash of these bytes.
    """

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class DropDescription:
    """
    A drop.

    :param drop_id: its id, which is the name of its folder.
    :param rows: number of rows.
    :param totals: cost column → exact sum, as a decimal string.
    :param hours: number of hours that the rows cover.
    :param sha256: hash of the text of all files, in order: equal rows in equal files have equal hashes.
    :param files: in order.
    :param replaces: the drop that was current when this one was begun.
    :param rolled_back_at: when the month was last rolled back to it, in ISO 8601.
    :param rolled_back_from: the drop that was current then.
    """

    drop_id: str
    rows: int
    totals: dict[str, str]
    hours: int
    sha256: str
    files: tuple[DropFile, ...]
    replaces: str | None = None
    rolled_back_at: str | None = None
    rolled_back_from: str | None = None

    @property
    def rolled_back(self) -> datetime | None:
        """When the month was last rolled back to it, in UTC."""
        return datetime.fromisoformat(self.rolled_back_at).astimezone(timezone.utc) if self.rolled_back_at else None

    def as_json(self) -> bytes:
        """The description as a JSON file."""
        return json.dumps({"written_by": _WRITTEN_BY, **asdict(self)}, indent=1).encode()

    @classmethod
    def parse(cls, drop_id: str, content: bytes) -> DropDescription | None:
        """
        Read a description; ``None`` for a file that is not one.

        :param drop_id: that the file is named after.
        :param content: of the file.
        """
        try:
            found: dict[str, Any] = json.loads(content)
            if found["written_by"] != _WRITTEN_BY or found["drop_id"] != drop_id:
                return None
            files = tuple(DropFile(**file) for file in found["files"])
            Decimal(found["totals"][COST])
            # Whoever may write to the bucket can change a description.
            if not all(is_plain_name(file.name) for file in files):
                return None
            return cls(
                drop_id=drop_id,
                rows=int(found["rows"]),
                totals={str(name): str(total) for name, total in found["totals"].items()},
                hours=int(found["hours"]),
                sha256=str(found["sha256"]),
                files=files,
                replaces=found.get("replaces"),
                rolled_back_at=found.get("rolled_back_at"),
                rolled_back_from=found.get("rolled_back_from"),
            )
        except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def is_complete(self, folder: str, listed: list[Listed]) -> bool:
        """
        Whether a listing has all files, each with its size, and no other CSV file, which CloudZero would read too.

        :param folder: of the drop, with a slash at its end.
        :param listed: at least all objects of the folder.
        """
        expected = {f"{folder}{file.name}": file.size for file in self.files}
        found = {
            each.key: each.size
            for each in listed
            if each.key.startswith(folder) and (each.is_csv or each.key in expected)
        }
        return found == expected
