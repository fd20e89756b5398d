"""Operators: they resolve their parameters, call the core and report."""

from __future__ import annotations
