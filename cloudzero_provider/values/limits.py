"""
Default numbers: the limits of CloudZero and the settings that a user may change.

A DAG file reads them through the operators, so this module imports nothing.
"""

from __future__ import annotations

#: CloudZero's limit for one request is 5 MB (https://docs.cloudzero.com/docs/anycost-send-stream-data). Whether that
#: means this or 5,242,880 bytes is not published.
LARGEST_BODY = 5_000_000
#: Ours: well below CloudZero's limit, which is not published to the byte.
MAX_BODY_BYTES = 4_500_000
#: CloudZero's limit for a month of one AnyCost stream (https://docs.cloudzero.com/docs/anycost-send-stream-data).
MAX_MONTH_BYTES = 70_000_000
#: CloudZero's limit for a month of one AnyCost stream, from the same page.
MAX_MONTH_ROWS = 1_000_000
#: No limit is published; CloudZero's own tools send 3,000 telemetry records per request.
MAX_BATCH_RECORDS = 3_000

#: Ours: a task that replaces a month by less than half of its rows has most likely been given a part of the month.
MIN_ROWS_RATIO = 0.5
#: Ours: a past month that becomes more than this many times as large has most likely been given rows twice.
UNUSUAL_GROWTH = 2
#: Ours: the records that a claim names one by one; it is an XCom, so it must stay small.
CLAIMED_RECORDS = 10_000

#: Ours, in seconds: how long to wait for a reply. The time CloudZero takes is not published.
TIMEOUT = 60.0
#: Ours, in seconds: how long one request is repeated in all; a longer outage is left to Airflow's retries.
MAX_RETRY_SECONDS = 600.0
#: Ours, in seconds: after this time, an unanswered request is assumed never to be applied. Nothing is published.
SETTLE_SECONDS = 60.0
#: Ours, in seconds: time between two checks of a sensor. CloudZero takes hours to process data.
POKE_INTERVAL = 300
