"""Base of the operators that plan: the report as a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.operators._rows import CloudZeroRowsOperator
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence


class CloudZeroPlanOperator(CloudZeroRowsOperator):
    """
    Base of the operators that show what sending would do, and write nothing to CloudZero.

    :param report_file: a path or a URI to write the report to, as Markdown. (templated)
    """

    template_fields: Sequence[str] = (*CloudZeroRowsOperator.template_fields, "report_file")

    def __init__(self, *, report_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_file = report_file

    def check_report_file(self) -> None:
        """
        Check ``report_file``, before any row is read.

        :raises ConfigurationError: when it is not a Markdown file.
        """
        if self.report_file is not None and not str(self.report_file).endswith(".md"):
            raise ConfigurationError(f"report_file is {self.report_file!r}: expected a path or a URI that ends in .md.")
        if "://" in str(self.report_file):
            from cloudzero_provider.airflow_support.object_storage import ObjectStorage

            ObjectStorage().check(str(self.report_file))

    def write_report(self, markdown: str) -> None:
        """
        Write the report to ``report_file``, if that is set.

        :param markdown: the report.
        """
        if self.report_file is None:
            return
        text = f"{markdown.rstrip()}\n".encode()
        if "://" in str(self.report_file):
            from cloudzero_provider.airflow_support.object_storage import ObjectStorage

            ObjectStorage().upload(io.BytesIO(text), str(self.report_file))
        else:
            with whole_file(str(self.report_file)) as file:
                file.write(text)
        self.log.info("The report is in %s", self.report_file)
