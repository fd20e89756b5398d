"""pandas, for Parquet: what it reads that with is imported first, which only this source needs."""

from __future__ import annotations

import pyarrow.parquet  # noqa: F401 - pandas would import it while it is timed

from benchmarks.programs.pandas_frames import prepare

__all__ = ["prepare"]
