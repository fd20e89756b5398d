"""Checks of telemetry records, made before the first request."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.telemetry.filter_keys import as_dicts, convert_keys
from cloudzero_provider.telemetry.record_kinds import SEND_PAGE, TRUNCATION
from cloudzero_provider.telemetry.record_values import TOO_PRECISE, convert_values, is_zero
from cloudzero_provider.values.conversion import as_text, checked, first_with_value, is_blank, text_of, timestamp_text
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.did_you_mean import suggestion
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.parameters import Choice
from cloudzero_provider.values.problems import Problems
from cloudzero_provider.values.python_values import no_strings
from cloudzero_provider.values.timestamps import utc_timestamps
from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros

if TYPE_CHECKING:
    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import Rows
    from cloudzero_provider.telemetry.record_kinds import RecordKind

log = logging.getLogger(__name__)

_IDENTITY = ("timestamp", "element_name", "keys")


class OnDuplicate(Choice):
    """What to do with several records of the same identity."""

    ERROR = "error"
    SUM = "sum"


class OnZero(Choice):
    """What to do with values of zero."""

    ERROR = "error"
    DELETE = "delete"
    SKIP = "skip"


class OnMixedKeys(Choice):
    """What to do with several sets of filter keys."""

    SPLIT = "split"
    ERROR = "error"


@dataclass(frozen=True)
class RecordRules:
    """
    How records are checked; the operator documents each.

    :param kind: metric or allocation.
    :param operation: ``replace``, ``sum`` or ``delete``.
    :param granularity: of records without their own.
    :param month: the month that all records must be in; ``None`` for any.
    """

    kind: RecordKind
    operation: TelemetryOperation
    granularity: str | None = None
    month: Month | None = None
    on_duplicate: OnDuplicate = OnDuplicate.ERROR
    on_zero: OnZero = OnZero.ERROR
    on_mixed_keys: OnMixedKeys = OnMixedKeys.SPLIT

    def __post_init__(self) -> None:
        if self.granularity is not None and self.granularity not in self.kind.granularities:
            raise ConfigurationError(f"granularity is {self.granularity!r}: {_accepted_granularities(self.kind)}.")
        if self.on_zero is OnZero.DELETE and self.operation is not TelemetryOperation.REPLACE:
            raise ConfigurationError("on_zero='delete' corrects records to zero, so it needs operation='replace'.")


@dataclass(frozen=True)
class CheckedRecords:
    """
    Records that passed all checks.

    :param frame: string columns timestamp, element_name, keys (JSON), key_set (JSON) and value.
    :param zeros: the same columns of the records to delete, since their value is zero.
    :param periods: all timestamps, including those of zeros that are skipped.
    :param rules: the rules that were checked.
    :param granularity: of all records.
    :param sends_granularity: whether the records are sent with a granularity.
    :param total: exact sum of the values, as a decimal string.
    """

    frame: pl.DataFrame
    zeros: pl.DataFrame
    periods: pl.Series
    rules: RecordRules
    granularity: str
    sends_granularity: bool
    total: str
    duplicates_summed: int = 0
    zeros_skipped: int = 0
    values_rounded: int = 0


def check_records(rows: Rows, rules: RecordRules) -> CheckedRecords:
    """
    Check records against CloudZero's rules (https://docs.cloudzero.com/docs/send-via-api).

    :param rows: the records as given; at least one.
    :param rules: the rules to check.
    :raises InvalidRowsError: with row, field, value and rule of the first few problems, and the number of all.
    :raises InputError: for several sets of filter keys with ``on_mixed_keys="error"``.
    """
    problems = Problems(rows)
    _check_fields(rows, rules, problems)
    granularity, sends_granularity = _granularity(rows, rules, problems)
    frame, rounded = _columns(rows, rules, granularity, problems)
    _check_not_negative(frame, problems)
    problems.raise_if_any()
    summed = 0
    if rules.operation is TelemetryOperation.REPLACE:
        frame, summed = _without_duplicates(frame, rules, problems)
    checked_records = CheckedRecords(
        frame=frame,
        zeros=frame.clear(),
        periods=frame["timestamp"].unique(maintain_order=True),
        rules=rules,
        granularity=granularity,
        sends_granularity=sends_granularity,
        total="0",
        duplicates_summed=summed,
        values_rounded=rounded,
    )
    if rules.operation is not TelemetryOperation.DELETE:
        checked_records = _without_zeros(checked_records, rows, problems)
    problems.raise_if_any()
    _check_key_sets(checked_records, problems)
    return checked_records


def _check_fields(rows: Rows, rules: RecordRules, problems: Problems) -> None:
    for name in rows.columns:
        if name not in rules.kind.fields:
            hint = suggestion(name, rules.kind.fields)
            rule = (
                f"not a field of {rules.kind.stream_type.value} records, which are {', '.join(rules.kind.fields)}{hint}"
            )
            problems.add(first_with_value(rows.columns[name]) or 0, name, rule)


def _granularity(rows: Rows, rules: RecordRules, problems: Problems) -> tuple[str, bool]:
    """
    Return the granularity of all records: their own, else the parameter, else the default of metrics.

    :return: the granularity, and whether to send it.
    """
    given = rows.columns.get("granularity", no_strings(rows.count))
    default = rules.granularity
    column = checked(
        as_text(given, text_of), lambda text: text in rules.kind.granularities, _accepted_granularities(rules.kind)
    )
    problems.add_each(column.bad, "granularity", given)
    sends = default is not None or column.strings.null_count() < len(column.strings)
    if default is None and not rules.kind.has_element:
        default = "DAILY"
    own = column.strings.fill_null(default) if default else column.strings
    if default is None and not column.bad:
        rule = f"every record needs one ({SEND_PAGE}), or set the operator's granularity"
        problems.add_all(own.is_null(), "granularity", rule)
    found = [name for name in own.drop_nulls().unique(maintain_order=True).to_list() if name in TRUNCATION]
    if len(found) > 1:
        rule = f"a stream has one granularity, but the records have {' and '.join(found)}"
        problems.add_all((own != found[0]).fill_null(False), "granularity", rule, given)
    return found[0] if found else "DAILY", sends or rules.kind.has_element


def _accepted_granularities(kind: RecordKind) -> str:
    return f"{kind.stream_type.value} records accept {', '.join(kind.granularities)}"


def _columns(rows: Rows, rules: RecordRules, granularity: str, problems: Problems) -> tuple[pl.DataFrame, int]:
    deletes = rules.operation is TelemetryOperation.DELETE
    nothing = no_strings(rows.count)
    given = {name: rows.columns.get(name, nothing) for name in ("value", "element_name", rules.kind.keys_field)}
    numbers, rounded = convert_values(nothing if deletes else given["value"])
    _check_required("value", rows, problems, needed=not deletes)
    problems.add_each(numbers.bad, "value", given["value"])
    elements = as_text(given["element_name"], text_of)
    # A deletion without elements means all elements; a blank one among others is more likely a mistake.
    needs_element = rules.kind.has_element and (not deletes or "element_name" in rows.columns)
    _check_required("element_name", rows, problems, needed=needs_element)
    problems.add_each(elements.bad, "element_name", given["element_name"])
    keys = convert_keys(given[rules.kind.keys_field], rules.kind)
    if keys.bad:
        problems.add_each(keys.bad, rules.kind.keys_field, as_dicts(given[rules.kind.keys_field], rules.kind))
    frame = pl.DataFrame(
        {
            "row": pl.int_range(rows.count, eager=True),
            "timestamp": _timestamps(rows, rules, granularity, problems),
            "element_name": elements.strings,
            "keys": keys.encoded,
            "key_set": keys.key_sets,
            "value": numbers.strings,
        }
    )
    return frame, rounded


def _check_required(name: str, rows: Rows, problems: Problems, *, needed: bool) -> None:
    if not needed:
        return
    rule = f"every record needs one ({SEND_PAGE})"
    values = rows.columns.get(name)
    if values is None:
        problems.add(0, name, rule)
    else:
        problems.add_all(is_blank(values), name, rule)


def _timestamps(rows: Rows, rules: RecordRules, granularity: str, problems: Problems) -> pl.Series:
    """Truncate timestamps to the granularity in UTC. An offset that moves a record into another month is an error."""
    _check_required("timestamp", rows, problems, needed=True)
    given = rows.columns.get("timestamp")
    if given is None:
        return no_strings(rows.count)
    column = utc_timestamps(as_text(given, timestamp_text), **TRUNCATION[granularity])
    problems.add_each(column.bad, "timestamp", given)
    if column.truncated:
        log.info("%s timestamps were truncated to their period (%s, UTC)", f"{column.truncated:,}", granularity)
    problems.add_all(column.moved, "timestamp", "its UTC offset moves it into another month: write it in UTC", given)
    if rules.month is not None:
        elsewhere = (column.strings.str.slice(0, 7) != str(rules.month)).fill_null(False) & ~column.moved
        problems.add_all(elsewhere, "timestamp", f"not in {rules.month} (UTC), the month of this task", given)
    return column.strings


def _check_not_negative(frame: pl.DataFrame, problems: Problems) -> None:
    """Refuse negative values before duplicates are summed, so that none silently reduces another record."""
    negative = frame.filter(pl.col("value").str.starts_with("-"))
    for row, value in negative.select("row", "value").iter_rows():
        problems.add(row, "value", f"{value} is negative: CloudZero accepts values above 0 ({SEND_PAGE})")


def _without_duplicates(frame: pl.DataFrame, rules: RecordRules, problems: Problems) -> tuple[pl.DataFrame, int]:
    """
    Refuse or sum records of the same identity, which would overwrite each other in a ``replace``.

    :return: the records, and how many were summed into another.
    """
    # Identities whose hashes differ, differ; comparing the hashes of all records takes a fraction of the time.
    if frame.select(_IDENTITY).hash_rows().n_unique() == frame.height:
        return frame, 0
    numbered = frame.with_columns(first=pl.col("row").first().over(_IDENTITY), count=pl.len().over(_IDENTITY))
    duplicates = numbered.filter(pl.col("row") != pl.col("first"))
    if duplicates.is_empty():
        return frame, 0
    if rules.on_duplicate is OnDuplicate.ERROR:
        for row, first in duplicates.select("row", "first").iter_rows():
            rule = (
                f"the same identity as {problems.rows.where(first)}, which it would overwrite; on_duplicate='sum' "
                "sums their values"
            )
            problems.add(row, "timestamp", rule)
        problems.raise_if_any()
    sums: dict[int, Decimal] = {}
    with localcontext() as exact:
        exact.prec = 100
        for first, value in numbered.filter(pl.col("count") > 1).select("first", "value").iter_rows():
            sums[first] = sums.get(first, Decimal(0)) + Decimal(value)
        totals = {first: strip_trailing_zeros(format(total, "f")) for first, total in sums.items()}
    kept = numbered.filter(pl.col("row") == pl.col("first")).select(frame.columns)
    summed = pl.col("row").replace_strict(list(totals), list(totals.values()), default=None, return_dtype=pl.String)
    kept = kept.with_columns(value=pl.coalesce(summed, pl.col("value")))
    values, _ = convert_values(kept["value"])
    for index in values.bad:
        problems.add(
            kept["row"][index], "value", f"the sum of its duplicates, {kept['value'][index]}, has {TOO_PRECISE}"
        )
    return kept, len(duplicates)


def _without_zeros(records: CheckedRecords, rows: Rows, problems: Problems) -> CheckedRecords:
    frame, rules = records.frame, records.rules
    zero = is_zero(frame["value"])
    if zero.any() and rules.on_zero is OnZero.ERROR:
        for row in frame.filter(zero)["row"]:
            ways = "on_zero='delete' deletes the record, on_zero='skip' keeps what CloudZero holds"
            problems.add(row, "value", f"zero: CloudZero accepts values above 0; {ways}", rows.columns["value"])
    problems.raise_if_any()
    kept, zeros = frame.filter(~zero), frame.filter(zero)
    return replace(
        records,
        frame=kept,
        zeros=zeros if rules.on_zero is OnZero.DELETE else frame.clear(),
        zeros_skipped=zeros.height if rules.on_zero is OnZero.SKIP else 0,
        total=exact_sum(kept["value"]),
    )


def _check_key_sets(records: CheckedRecords, problems: Problems) -> None:
    rules = records.rules
    both = pl.concat([records.frame, records.zeros])
    counts = key_set_counts(both)
    if len(counts) > 1 and rules.on_mixed_keys is OnMixedKeys.ERROR:
        raise InputError(
            f"The records have {len(counts)} sets of {rules.kind.keys_field} keys (on_mixed_keys='error'): "
            f"{describe_key_sets(counts)}. Nothing was sent."
        )
    deleted = both if rules.operation is TelemetryOperation.DELETE else records.zeros
    key_sets = {text: frozenset(json.loads(text)) for text in counts}
    smaller = [text for text, keys in key_sets.items() if any(keys < other for other in key_sets.values())]
    for row in deleted.filter(pl.col("key_set").is_in(smaller))["row"]:
        rule = "this deletion would also hide other rows, which have these keys and more"
        problems.add(row, rules.kind.keys_field, rule)
    problems.raise_if_any()


def key_set_counts(frame: pl.DataFrame) -> dict[str, int]:
    """Count the records of each set of filter keys (JSON)."""
    return dict(frame.group_by("key_set", maintain_order=True).len().iter_rows())


def describe_key_sets(counts: dict[str, int]) -> str:
    """Describe key sets for an error."""
    return "; ".join(f"{counted(count, 'record')} with {key_set}" for key_set, count in counts.items())
