-- A bill in CBF columns, which are named here. A numeric stays exact on its way to CloudZero, a float would not.
SELECT
    line_type AS "lineitem/type",
    used_at AS "time/usage_start",
    'vm/' || machine AS "resource/id",
    service AS "resource/service",
    team AS "resource/tag:team",
    amount AS "cost/cost"
FROM acme_lines
-- The whole month of the run, since it replaces what CloudZero holds of that month. In UTC, as CloudZero counts.
WHERE
    used_at >= TIMESTAMPTZ '{{ dag_run.partition_key }}-01 00:00:00Z'
    AND used_at < TIMESTAMPTZ '{{ dag_run.partition_key }}-01 00:00:00Z' + INTERVAL '1 month'
-- A table has no order. With one, the same rows make the same requests, which shows in the summary's sha256.
ORDER BY used_at, line_id
