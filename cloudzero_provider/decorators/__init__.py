"""Flavours of ``@task``: a function whose rows go to CloudZero."""

from __future__ import annotations
