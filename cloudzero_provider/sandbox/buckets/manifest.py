"""
The manifest of a month, and the name of the folder that it is in.

https://docs.cloudzero.com/docs/anycost-cbf-drop-specs
"""

from __future__ import annotations

import re
from datetime import date

from cloudzero_provider.sandbox.common.json_text import NotJsonError, has_no_surrogates, parse_json
from cloudzero_provider.sandbox.common.months import Month
from cloudzero_provider.sandbox.common.problems import shortened

MANIFEST = "manifest.json"
_BILLING_DATA_ID = re.compile(r"([0-9]{8})-([0-9]{8})")
_SLASHES = ("/", "\\")


class ManifestError(ValueError):
    """A manifest or its folder breaks a rule; the message gives the reason."""


def parse_billing_data_id(folder: str) -> Month:
    """Return the month of a folder such as ``20260501-20260601``."""
    match = _BILLING_DATA_ID.fullmatch(folder)
    if match is None:
        raise ManifestError(f"the folder {shortened(folder)} is not a billing data id of the form YYYYMMDD-YYYYMMDD")
    try:
        first, end = (date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in match.groups())
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError:
        raise ManifestError(f"the folder {folder} has a day that does not exist") from None
    if first.day != 1 or end != following:
        raise ManifestError(f"the folder {folder} does not go from the first day of a month to the first of the next")
    return Month(first.year, first.month)


def parse_manifest(text: bytes) -> str:
    """
    Return the current drop id of a manifest.

    Members other than ``version`` and ``current_drop_id`` are accepted: CloudZero's page leaves out some of them.
    """
    try:
        manifest = parse_json(text)
    except NotJsonError as error:
        raise ManifestError(f"{MANIFEST} is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise ManifestError(f"{MANIFEST} is not a JSON object")
    for member in ("version", "current_drop_id"):
        value = manifest.get(member)
        if not isinstance(value, str) or not value.strip():
            state = "must be text that is not blank" if member in manifest else "is missing"
            raise ManifestError(f"{MANIFEST}: {member} {state}")
    drop_id = str(manifest["current_drop_id"])
    if any(slash in drop_id for slash in _SLASHES):
        raise ManifestError(f"{MANIFEST}: current_drop_id must be the name of one folder, without slashes")
    if drop_id in {".", "..", MANIFEST} or not drop_id.isprintable() or not has_no_surrogates(drop_id):
        raise ManifestError(f"{MANIFEST}: current_drop_id is not the name of a folder")
    return drop_id
