"""Texts, numbers and times as CloudZero takes them, exact sums, parameters, and the problems found in rows."""

from __future__ import annotations
