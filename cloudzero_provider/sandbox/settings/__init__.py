"""Every published and unpublished choice that the sandbox can be set to."""

from __future__ import annotations
