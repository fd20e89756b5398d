"""Operators for AnyCost Bucket drops: write a month, go back to an earlier drop, list the drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from cloudzero_provider.airflow_support.compat import name_instance
from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.airflow_support.sum_state import is_retry
from cloudzero_provider.links import AnyCostConnectionLink, show_links
from cloudzero_provider.operators._guards import GuardedMonthOperator
from cloudzero_provider.operators._rows import airflow_errors_of_transforms
from cloudzero_provider.values.limits import KEEP_DROPS, MAX_FILE_ROWS
from cloudzero_provider.values.parameters import read_bool, read_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.anycost.bucket.drops import DropList
    from cloudzero_provider.anycost.bucket.options import DropOptions
    from cloudzero_provider.anycost.bucket.store import BucketStore
    from cloudzero_provider.anycost.bucket.summary import BucketDropSummary, RollbackSummary
    from cloudzero_provider.anycost.checks import CheckedRows
    from cloudzero_provider.months import Month
    from cloudzero_provider.operators._month_rows import RowParameters
    from cloudzero_provider.operators._rows import Summary

_COLOR = "#e8eefc"


class AnyCostBucketDropOperator(GuardedMonthOperator):
    """
    Write one month of Common Bill Format rows, of any number, to the bucket of an AnyCost Bucket connection.

    CloudZero takes the month whole when its manifest names another drop. That is the last thing this operator writes,
    after all files were read back: a task that fails or dies before leaves the month as it was, and running it again
    completes it. When the rows break a rule, nothing is written. No CloudZero API key is needed.

    .. seealso::
        https://docs.cloudzero.com/docs/anycost-bucket-getting-started and
        https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf

    :param bucket_path: the folder of the AnyCost Bucket connection: ``s3://my_aws_conn@bucket/folder``, another URI
        that Airflow's ``ObjectStoragePath`` opens, or the path of a folder on this machine. CloudZero does not accept
        the root of a bucket. (templated)
    :param month: ``2026-03``, a date or a datetime. Default: the run's partition key, or else a data interval of
        exactly one calendar month; without either, an error. (templated)
    :param records: a list of dicts (CBF column → value), a data frame (polars, pandas, Arrow), or the output of an
        upstream task. Pass money through XCom as strings, since XCom converts a Decimal to a float. Resolved when the
        task runs, never rendered by Jinja.
    :param files: instead of ``records``: a path, a URI (``s3://my_aws_conn@bucket/2026-03.parquet``), a pattern
        (``…/2026-03/*.csv.gz``), or a list of those. Formats: ``.csv``, ``.json``, ``.jsonl``, ``.ndjson``, each also
        with ``.gz``, and ``.parquet``. CSV and Parquet are read in batches, so a month may be larger than the memory.
        Lists from mapped upstream tasks are concatenated. (templated)
    :param allow_equal_files: allow two files with the same rows, in any order. Without it, they are an error, since
        their rows would count twice. (templated)
    :param sql: instead of ``records``: a query whose columns are CBF columns, or the path of a ``.sql`` file that
        holds it. (templated)
    :param sql_conn_id: the Airflow connection that the query runs on: any whose hook is a ``DbApiHook``. (templated)
    :param transform: a function from a polars frame to a polars frame of CBF columns, or a list of such functions,
        applied in order before the rows are checked.
    :param transform_batches: apply ``transform`` to each batch of a file instead of to all rows, so that they need not
        be in memory together. Only for functions that look at each row by itself, such as ``to_cbf``: one that groups
        or removes duplicates would do so in each batch. (templated)
    :param on_empty: without rows: ``skip`` the task, ``fail`` it, or ``clear`` the month with an empty drop.
        (templated)
    :param min_rows_ratio: refuse a month with fewer rows than this fraction of those of the current drop; 0 is off.
        (templated)
    :param max_rows_ratio: refuse a month with more rows than this multiple of those of the current drop. Without it, a
        past month that grows to more than twice its rows is only a warning. (templated)
    :param max_cost_change: refuse a month whose total ``cost/cost`` would move by more, up or down, from that of the
        current drop: ``30%`` of it, or an amount like ``500``. (templated)
    :param required_days: ``all`` refuses a month in which a day that is over (in UTC) has no rows. (templated)
    :param skip_unchanged: write nothing when the current drop holds exactly these rows already, in this order. Without
        it, a retry does so, and a task that is cleared writes a new drop. (templated)
    :param keep_drops: how many earlier drops of the month are kept, to go back to; older ones are removed. At least 1.
        (templated)
    :param check_only: check the rows, compare them with the current drop, and write nothing. (templated)
    :param allow_unknown_columns: write columns that are not in the Common Bill Format.
    :param rows_per_file: most rows of a file; CloudZero accepts 1,000,000.
    :param replace_in_same_run: allow this task to replace what another task, or another instance of this mapped task,
        wrote to the month in the same DAG run. Without it, that is an error. (templated)
    :param problems_file: when rows break rules, list every problem in this file, with row, column, value and rule: a
        path or a URI that ends in ``.csv``, or in ``.jsonl`` or ``.ndjson`` (JSON lines). The task fails all the same,
        and its error names the file. An attempt first deletes the list of an earlier one. A file that is not such a
        list is never replaced; it is an error. (templated)
    :return: month, bucket_path, drop_id, previous_drop_id, rows, replaced_rows, files, bytes, total_cost (decimal
        string), replaced_cost, hours, sha256, removed_drops, check_only, unchanged.
    :raises GuardError: when a guard refuses: nothing was written.
    :raises BucketError: when the bucket can't be used, or another writer was faster.
    :raises CloudZeroError: one of its classes; an error that a retry can't fix is also an ``AirflowFailException``.
    """

    template_fields: Sequence[str] = (
        "bucket_path",
        *GuardedMonthOperator.template_fields,
        "transform_batches",
        "keep_drops",
    )
    ui_color = _COLOR
    in_csv = True
    outlet_keys = ("month", "bucket_path", "drop_id", "rows", "total_cost", "sha256", "check_only", "unchanged")

    def __init__(
        self,
        *,
        bucket_path: str,
        transform_batches: bool | str = False,
        keep_drops: int | str = KEEP_DROPS,
        rows_per_file: int = MAX_FILE_ROWS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket_path = bucket_path
        self.transform_batches = transform_batches
        self.keep_drops = keep_drops
        self.rows_per_file = rows_per_file

    def process(self, context: Context) -> BucketDropSummary:
        """
        Check the rows, and write the month.

        :param context: the task's context.
        """
        from cloudzero_provider.airflow_support.bucket_stores import open_store
        from cloudzero_provider.anycost.bucket.send import clear_month, send_drop

        # All parameters are read before any row is.
        options = self._options(context)
        parameters = self.read_row_parameters()
        in_batches = read_bool("transform_batches", self.transform_batches, templated=True)
        month = self.find_month(context)
        store = open_store(self.bucket_path)
        batches = self._batches(context, month, parameters, transform_batches=in_batches)
        with airflow_errors_of_transforms():
            summary = send_drop(store, month, batches, options)
        if summary is not None:
            return summary
        self.refuse_empty(parameters.on_empty, f"rows for {month}")
        return clear_month(store, month, options)

    def _options(self, context: Context) -> DropOptions:
        """Read the parameters, which templates may have rendered as text."""
        from cloudzero_provider.anycost.bucket.options import DropOptions

        return DropOptions(
            **vars(self.read_guards()),
            keep_drops=read_whole_number("keep_drops", self.keep_drops, templated=True),
            rows_per_file=self.rows_per_file,
            is_retry=is_retry(context),
            claims=self.claims(context),
        )

    def _batches(
        self, context: Context, month: Month, parameters: RowParameters, *, transform_batches: bool
    ) -> Iterator[CheckedRows]:
        """Read and check the rows: files in batches, unless ``transform`` needs all rows; everything else at once."""
        if self.files is not None and (self.transform is None or transform_batches):
            yield from self._file_batches(month, parameters)
            return
        checked = self.checked_rows(context, month, parameters)
        if checked is not None:
            yield checked

    def _file_batches(self, month: Month, parameters: RowParameters) -> Iterator[CheckedRows]:
        from cloudzero_provider.airflow_support.object_storage import ObjectStorage
        from cloudzero_provider.anycost.batch_checks import check_batches
        from cloudzero_provider.sources.batches import read_batches

        self.check_sources()
        batches = read_batches(self.files, ObjectStorage(), allow_equal_files=parameters.allow_equal_files)
        if self.transform is not None:
            from cloudzero_provider.sources.transformed_batches import transformed_batches

            batches = transformed_batches(batches, self.transform)
        allow_unknown_columns = parameters.allow_unknown_columns
        yield from check_batches(batches, month, allow_unknown_columns=allow_unknown_columns, in_csv=self.in_csv)


class _BucketOperator(BaseOperator):
    """
    Base of the operators that work with the drops of a month.

    :param bucket_path: the folder of the AnyCost Bucket connection. (templated)
    :param month: the month. (templated)
    """

    template_fields: Sequence[str] = ("bucket_path", "month")
    operator_extra_links = (AnyCostConnectionLink(),)
    ui_color = _COLOR

    def __init__(self, *, bucket_path: str, month: str | date | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bucket_path = bucket_path
        self.month = month

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what the operator does with the drops; return a summary."""
        from cloudzero_provider.airflow_support.bucket_stores import open_store

        show_links(self, context)
        with airflow_failures():
            month = resolve_month(self.month, context)
            name_instance(context, str(month))
            done = self.process(open_store(self.bucket_path), month)
        name_instance(context, str(done))
        self.log.info("Done: %s", done)
        return done.as_dict()

    def process(self, store: BucketStore, month: Month) -> Summary:
        """
        Do what the operator does. Implemented by subclasses.

        :param store: the bucket.
        :param month: the month.
        """
        raise NotImplementedError


class AnyCostBucketRollbackOperator(_BucketOperator):
    """
    Make an earlier drop of a month the current one again: its manifest then names that drop, and CloudZero takes it.

    No file of a drop is changed. The next :class:`AnyCostBucketDropOperator` of the month writes a new drop.

    .. seealso:: https://docs.cloudzero.com/docs/anycost-bucket-getting-started

    :param bucket_path: as for :class:`AnyCostBucketDropOperator`. (templated)
    :param month: as for :class:`AnyCostBucketDropOperator`. (templated)
    :param drop_id: the drop, as :class:`AnyCostBucketListOperator` lists it, or ``previous_drop_id`` of the summary of
        the task that replaced it. (templated)
    :return: month, bucket_path, drop_id, previous_drop_id, rows, total_cost (decimal string), unchanged.
    :raises DropNotFoundError: when there is no such drop.
    :raises BucketError: when the bucket can't be used.
    """

    template_fields: Sequence[str] = (*_BucketOperator.template_fields, "drop_id")

    def __init__(self, *, drop_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_id = drop_id

    def process(self, store: BucketStore, month: Month) -> RollbackSummary:
        """
        Change the manifest.

        :param store: the bucket.
        :param month: the month.
        """
        from cloudzero_provider.anycost.bucket.rollback import roll_back

        return roll_back(store, month, self.drop_id)


class AnyCostBucketListOperator(_BucketOperator):
    """
    List the drops of a month in the bucket of an AnyCost Bucket connection. Nothing is written.

    :param bucket_path: as for :class:`AnyCostBucketDropOperator`. (templated)
    :param month: as for :class:`AnyCostBucketDropOperator`. (templated)
    :return: month, bucket_path, current_drop_id, drops (each with drop_id, is_current, is_complete, rows, total_cost,
        files, bytes), markdown.
    :raises BucketError: when the bucket can't be read.
    """

    def process(self, store: BucketStore, month: Month) -> DropList:
        """
        List the drops.

        :param store: the bucket.
        :param month: the month.
        """
        from cloudzero_provider.anycost.bucket.drops import list_drops

        found = list_drops(store, month)
        for line in found.lines():
            self.log.info("%s: %s", month, line)
        return found
