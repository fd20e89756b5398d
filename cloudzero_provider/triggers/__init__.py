"""Triggers: they wait, without a worker, for what :mod:`cloudzero_provider.status` derives. They never write."""

from __future__ import annotations
