"""Values as CloudZero accepts them (text, numbers, times), exact sums, parameters, and problems found in rows."""

from __future__ import annotations
