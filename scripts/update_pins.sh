#!/usr/bin/env bash
# Writes requirements/*.txt anew: plain name==version lines for Python 3.10 to 3.13, as of shortly after each
# Airflow release. Run it from the project's root; it needs uv.
set -euo pipefail
pins() {
  uv pip compile --quiet --universal --python-version "${python:-3.10}" --fork-strategy requires-python \
    --no-annotate --no-header --no-emit-index-url "$@"
}
pins --extra sandbox --extra cli pyproject.toml --constraint <(echo "apache-airflow==3.3.2") --exclude-newer 2026-09-26 \
  --output-file requirements/airflow-3.3.txt
# The older lines are for tests only: one file each, with what installs the package and tests it, of the same day.
line() {
  pins --extra sandbox --extra cli pyproject.toml requirements/build.in requirements/test.in \
    --constraint <(printf '%s\n' "apache-airflow==$2" "${@:4}") --exclude-newer "$3" --output-file "requirements/airflow-$1.txt"
}
# The oldest line has the oldest polars that pyproject.toml allows.
line 2.11 2.11.2 2026-03-20 polars==1.20.0
line 3.1 3.1.8 2026-03-20
line 3.2 3.2.2 2026-06-10
# For make test-dependencies: every run-time dependency at the lowest version that pyproject.toml allows, and at the
# highest that is published (on Python 3.10, the highest for it).
dependencies() {
  pins --extra sandbox --extra cli pyproject.toml requirements/build.in requirements/test.in requirements/frames.in "$@"
}
# Airflow 2.11.0 opens no file by ObjectStoragePath with a newer universal-pathlib; later ones of 2.11 say so themselves.
dependencies --constraint <(pins --extra sandbox --extra cli pyproject.toml --no-deps --resolution lowest-direct) \
  --constraint <(echo "universal-pathlib<0.3") --exclude-newer 2026-03-20 --output-file requirements/lowest.txt
dependencies --constraint <(echo "apache-airflow==3.3.2") --exclude-newer 2026-11-29 --output-file requirements/highest.txt
pins requirements/build.in --constraint requirements/airflow-3.3.txt --exclude-newer 2026-11-14 \
  --output-file requirements/build.txt
pins requirements/dev.in --constraint requirements/airflow-3.3.txt --constraint requirements/build.txt \
  --exclude-newer 2026-11-14 --output-file requirements/dev.txt
# A distributed Airflow, for make test-distributed: the newest line, with Celery.
pins --extra sandbox --extra cli pyproject.toml requirements/build.in requirements/test.in requirements/distributed.in \
  --constraint requirements/airflow-3.3.txt --constraint requirements/build.txt --constraint requirements/dev.txt \
  --exclude-newer 2026-11-14 --output-file requirements/distributed.txt
# CloudZero's own command line tool, in an environment of its own: a client that we did not write accepts the sandbox.
pins requirements/uca-tools.in --exclude-newer 2026-11-14 --output-file requirements/uca-tools.txt
# What the benchmarks measure beside the provider, with the same polars and pandas as in its own environment.
pins requirements/bench.in --constraint <(grep -hE '^(polars|pandas|pyarrow|numpy)[-=]' requirements/airflow-3.3.txt requirements/dev.txt) \
  --exclude-newer 2026-11-14 --output-file requirements/bench.txt
# The documentation, which imports the package and Airflow. MyST for Python 3.10 does not work beside Airflow 3.3.
python=3.11 pins --extra sandbox pyproject.toml requirements/build.in requirements/docs.in \
  --constraint requirements/airflow-3.3.txt --constraint requirements/build.txt --exclude-newer 2026-11-14 \
  --output-file requirements/docs.txt
# What checks the distribution.
pins requirements/release.in --exclude-newer 2026-11-14 --output-file requirements/release.txt
# What looks the pins up among known vulnerabilities, apart as well: it wants a pip of its own.
pins requirements/audit.in --exclude-newer 2026-11-14 --output-file requirements/audit.txt
