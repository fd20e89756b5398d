"""The page that shows the sandbox to a person."""

from __future__ import annotations
