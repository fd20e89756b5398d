"""Triggers: wait without a worker for a status that :mod:`cloudzero_provider.status` derives. They never write."""

from __future__ import annotations
