"""Decorators for TaskFlow: ``@task.cloudzero_...`` sends the rows that a function returns."""

from __future__ import annotations
