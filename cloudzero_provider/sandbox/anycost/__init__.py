"""AnyCost: connections, billing drops, and the months they make up."""

from __future__ import annotations
