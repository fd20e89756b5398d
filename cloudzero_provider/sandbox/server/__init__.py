"""A request on its way: arrival, key, limits, faults, the action, the reply; and the control API."""

from __future__ import annotations
