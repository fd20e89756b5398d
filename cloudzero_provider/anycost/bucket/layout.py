"""Names in the bucket: the folder of a month, its drops, and the files of a drop."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timezone
from typing import TYPE_CHECKING

from cloudzero_provider.exceptions import MonthError

if TYPE_CHECKING:
    from cloudzero_provider.months import Month

#: Microseconds come last, so that ids begin as CloudZero advises, and sort by time.
_TIME_FORMAT = "%Y%m%dT%H%M%SZ%f"
_DROP_ID = re.compile(r"([0-9]{8}T[0-9]{6}Z[0-9]{6})[0-9a-f]{4}")
#: In the key of a mark that a drop is being removed.
REMOVAL = ".removed-by-"
_MONTH_FOLDER = re.compile(r"[0-9]{8}-[0-9]{8}")
#: The name of one folder or file, whatever program or person chose it.
_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f]{1,200}")


@dataclass(frozen=True)
class MonthFolder:
    """
    The folder of a month below the root: its drops, and the manifest that names the current one.

    :param month: the month.
    """

    month: Month

    @property
    def name(self) -> str:
        """
        CloudZero's billing data id, like ``20260301-20260401``: the first day of the month and of the next.

        :raises MonthError: when the next month has more than four digits.
        """
        following = self.month.next
        if following.year > MAXYEAR:
            raise MonthError(f"{self.month} has no folder in a bucket, which is named after the next month, too.")
        # Not strftime, which pads years on some systems only.
        return f"{self.month.year:04d}{self.month.number:02d}01-{following.year:04d}{following.number:02d}01"

    @property
    def manifest(self) -> str:
        """Key of the manifest."""
        return f"{self.name}/manifest.json"

    def description(self, drop_id: str) -> str:
        """
        Key of what this package knows of a drop. It is outside the drop's folder, so that CloudZero never reads it.

        :param drop_id: the drop.
        """
        return f"{self.name}/{drop_id}.json"

    def drop(self, drop_id: str) -> str:
        """
        Folder of a drop, with a slash at its end.

        :param drop_id: the drop.
        """
        return f"{self.name}/{drop_id}/"

    def removal(self, drop_id: str, by: str = "") -> str:
        """
        Key of a mark that a drop is being removed; without ``by``, the beginning of all such keys.

        :param drop_id: the drop.
        :param by: the drop of the run that removes it, so that runs don't delete each other's marks.
        """
        return f"{self.name}/{drop_id}{REMOVAL}{by}"

    def described(self, keys: list[str]) -> list[str]:
        """
        Return the ids of the drops that have a description, the oldest first.

        :param keys: of the folder.
        """
        names = [key.removeprefix(f"{self.name}/").removesuffix(".json") for key in keys if key.endswith(".json")]
        return sorted(name for name in names if _DROP_ID.fullmatch(name))


def part_name(number: int) -> str:
    """
    Name a file of a drop.

    :param number: counted from 0. Files in the order of their names hold the rows in the order they were given.
    """
    return f"part-{number:05d}.csv.gz"


def new_drop_id() -> str:
    """Make a drop id: the time in UTC, as CloudZero advises, and a random suffix, so that no two are equal."""
    return f"{datetime.now(timezone.utc):{_TIME_FORMAT}}{secrets.token_hex(2)}"


def started_at(drop_id: str) -> datetime | None:
    """
    Return when a drop was begun; ``None`` for an id that this package did not make.

    :param drop_id: the drop.
    """
    found = _DROP_ID.fullmatch(drop_id)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def is_plain_name(value: object) -> bool:
    """
    Whether a value can be a drop id or the name of a file: it leads to no other folder.

    :param value: from the bucket, or from a user.
    """
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_month_folder(name: str) -> bool:
    """
    Whether a folder's name is a billing data id, like ``20260301-20260401``.

    :param name: without slashes.
    """
    return _MONTH_FOLDER.fullmatch(name) is not None
