"""
Compare what would be sent with what CloudZero holds: contents → changes → report → Markdown.

Months are compared as exact decimals and text, in polars, and never with polars' own decimals or floats.
"""

from __future__ import annotations
