"""Sensors: waiting is a task of its own, so that clearing or retrying a wait never sends anything."""

from __future__ import annotations
