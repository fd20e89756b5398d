"""
Read rows from records, data frames, files and cursors, as columns.

Values stay as they are. :mod:`cloudzero_provider.anycost` and :mod:`cloudzero_provider.telemetry` decide what a column
means.
"""

from __future__ import annotations

from cloudzero_provider.sources.batches import read_batches
from cloudzero_provider.sources.cursors import from_cursor
from cloudzero_provider.sources.file_names import ENDINGS, FileStore
from cloudzero_provider.sources.files import from_files, read_files
from cloudzero_provider.sources.frames import from_frame, plain_type
from cloudzero_provider.sources.records import from_records
from cloudzero_provider.sources.rows import Rows, is_text, joined
from cloudzero_provider.sources.transformed import apply_transforms, gathered
from cloudzero_provider.sources.transformed_batches import transformed_batches

__all__ = [
    "ENDINGS",
    "FileStore",
    "Rows",
    "apply_transforms",
    "from_cursor",
    "from_files",
    "from_frame",
    "from_records",
    "gathered",
    "is_text",
    "joined",
    "plain_type",
    "read_batches",
    "read_files",
    "transformed_batches",
]
