"""Operators: thin; they resolve, call and report."""

from __future__ import annotations
