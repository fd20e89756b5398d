"""What AnyCost and telemetry share: the database, months, exact sums and JSON."""

from __future__ import annotations
