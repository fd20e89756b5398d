"""AnyCost: connections, billing drops and months."""

from __future__ import annotations
