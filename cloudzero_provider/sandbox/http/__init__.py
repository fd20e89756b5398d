"""HTTP: reading bodies and sending replies."""

from __future__ import annotations
