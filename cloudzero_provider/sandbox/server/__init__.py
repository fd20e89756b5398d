"""The server: the CloudZero API (keys, limits, faults, actions, replies) and the control API."""

from __future__ import annotations
