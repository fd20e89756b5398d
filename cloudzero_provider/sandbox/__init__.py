"""
A local CloudZero: an HTTP server that follows CloudZero's published rules.

Start it with ``python -m cloudzero_provider.sandbox --port 8900 --data DIR --api-key KEY`` and send it the requests
that you would send to ``https://api.cloudzero.com``. It stores what it accepts, refuses what CloudZero's documentation
says is refused, injects faults on request, and shows at ``/sandbox/...`` what it holds.
"""

from __future__ import annotations
