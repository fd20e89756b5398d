"""Guards: compare a month with what CloudZero holds before the first write, and refuse what should not happen."""

from __future__ import annotations
