"""Inputs, drawn from a seed: the same on every machine. They are kept in a cache, and never part of the project."""

from __future__ import annotations
