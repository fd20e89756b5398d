"""
The programs that are measured. Each module has a function ``prepare(given)``, which returns the work to be timed.

A module imports what its work needs, so that imports are timed apart from the work.
"""

from __future__ import annotations
