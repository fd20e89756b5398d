"""Sensors. Waiting is a separate task, so that clearing or retrying a wait never sends anything."""

from __future__ import annotations
