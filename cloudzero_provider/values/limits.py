"""Limits that a user may set."""

from __future__ import annotations

#: CloudZero takes 5 MB per request; whether that is this or 5,242,880 bytes is not published.
LARGEST_BODY = 5_000_000
#: So a request stays well below, unless the user says otherwise.
MAX_BODY_BYTES = 4_500_000
