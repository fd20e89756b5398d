"""
CloudZero's limits and the defaults of settings.

Every DAG file that is parsed imports this module through the operators, so it imports nothing.
"""

from __future__ import annotations

#: CloudZero's limit for one request is 5 MB (https://docs.cloudzero.com/docs/anycost-send-stream-data). It is not
#: published whether that means 5,000,000 or 5,242,880 bytes.
LARGEST_BODY = 5_000_000
#: Ours: well below CloudZero's limit, whose exact value is not published.
MAX_BODY_BYTES = 4_500_000
#: CloudZero's limit for a month of one AnyCost stream (https://docs.cloudzero.com/docs/anycost-send-stream-data).
MAX_MONTH_BYTES = 70_000_000
#: CloudZero's limit for a month of one AnyCost stream, from the same page.
MAX_MONTH_ROWS = 1_000_000
#: CloudZero's limit for a file of an AnyCost Bucket drop (https://docs.cloudzero.com/docs/anycost-cbf-drop-specs).
MAX_FILE_ROWS = 1_000_000
#: No limit is published; CloudZero's own tools send 3,000 telemetry records per request.
MAX_BATCH_RECORDS = 3_000

#: Ours: a task that replaces a month by less than half of its rows was most likely given only part of the month.
MIN_ROWS_RATIO = 0.5
#: Ours: if a past month grows to more than this multiple of its rows, some rows were most likely given twice.
UNUSUAL_GROWTH = 2
#: Ours: how many earlier drops of a month a bucket keeps, to go back to.
KEEP_DROPS = 3
#: Ours: how many records a claim lists one by one. A claim is an XCom, so it must stay small.
CLAIMED_RECORDS = 10_000

#: Ours, in seconds: how long to wait for a reply. How long CloudZero needs is not published.
TIMEOUT = 60.0
#: Ours, in seconds: how long to keep repeating one request. A longer outage is left to Airflow's retries.
MAX_RETRY_SECONDS = 600.0
#: Ours, in seconds: after this time, an unanswered request is assumed never to be applied. CloudZero publishes nothing
#: about this.
SETTLE_SECONDS = 60.0
#: Ours, in seconds: time between two checks of a sensor. CloudZero needs hours to process data.
POKE_INTERVAL = 300
