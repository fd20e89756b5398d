"""
What the provider costs, measured beside what a user would do instead.

``make bench`` runs all cases, ``make bench-compare OLD=results.json`` compares two runs. README.md in this folder says
what is measured, and how to add a case.
"""

from __future__ import annotations
