"""The HTML page that shows what the sandbox holds."""

from __future__ import annotations
