"""
A CloudZero on this machine: a real HTTP server that keeps CloudZero's published rules.

Start it with ``python -m cloudzero_provider.sandbox --port 8900 --data DIR --api-key KEY`` and send it what
you would send to ``https://api.cloudzero.com``. It stores what it accepted, refuses what CloudZero documents
as refused, fails on request, and shows at ``/sandbox/...`` what it holds.
"""

from __future__ import annotations
