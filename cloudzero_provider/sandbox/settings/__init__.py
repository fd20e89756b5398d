"""The sandbox's settings: one for each behavior that CloudZero has not published."""

from __future__ import annotations
