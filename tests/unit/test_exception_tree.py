"""The picture of the exception tree at the top of exceptions.py."""

from __future__ import annotations

from cloudzero_provider import exceptions


def drawn(error, depth=1):
    yield f"{'    ' * depth}{error.__name__}{' *' if error.retry_can_help else ''}"
    for child in error.__subclasses__():
        # Tasks mix classes of Airflow into them, under the same names.
        if vars(exceptions).get(child.__name__) is child:
            yield from drawn(child, depth + 1)


def test_the_picture_shows_every_exception_below_its_parent_and_whether_a_retry_can_help():
    picture = "\n".join(drawn(exceptions.CloudZeroError))
    assert f"::\n\n{picture}\n\n" in exceptions.__doc__
