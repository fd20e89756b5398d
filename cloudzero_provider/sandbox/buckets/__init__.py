"""AnyCost Bucket connections: their storage, manifests and drops."""

from __future__ import annotations
