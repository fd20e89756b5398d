"""
AnyCost Bucket drops: a month of any size as files in object storage.

CloudZero polls ``manifest.json`` of each month, and takes the month whole when the manifest names another drop
(https://docs.cloudzero.com/docs/anycost-bucket-getting-started).
"""

from __future__ import annotations
