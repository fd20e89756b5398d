"""The metadata that Airflow reads: connection type and form, and the provider's modules."""

from __future__ import annotations

from typing import Any

from cloudzero_provider import __version__

_INTEGRATION = "CloudZero"


def get_provider_info() -> dict[str, Any]:
    """Describe the provider to Airflow (entry point ``apache_airflow_provider``)."""
    return {
        "package-name": "airflow-provider-cloudzero",
        "name": "CloudZero",
        "description": "AnyCost billing drops and telemetry for `CloudZero <https://www.cloudzero.com/>`__",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.cloudzero.com/",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["cloudzero_provider.hooks.cloudzero"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "cloudzero_provider.operators.anycost",
                    "cloudzero_provider.operators.bucket",
                    "cloudzero_provider.operators.plan",
                    "cloudzero_provider.operators.telemetry",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["cloudzero_provider.sensors.anycost", "cloudzero_provider.sensors.telemetry"],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["cloudzero_provider.triggers.anycost", "cloudzero_provider.triggers.telemetry"],
            }
        ],
        "task-decorators": [
            {
                "name": "cloudzero_billing_drop",
                "class-name": "cloudzero_provider.decorators.anycost.billing_drop_task",
            },
            {
                "name": "cloudzero_bucket_drop",
                "class-name": "cloudzero_provider.decorators.bucket.bucket_drop_task",
            },
            {
                "name": "cloudzero_telemetry",
                "class-name": "cloudzero_provider.decorators.telemetry.telemetry_task",
            },
        ],
        "extra-links": [
            "cloudzero_provider.links.AnyCostConnectionLink",
            "cloudzero_provider.links.TelemetryStreamsLink",
        ],
        "connection-types": [
            {
                "connection-type": "cloudzero",
                "hook-class-name": "cloudzero_provider.hooks.cloudzero.CloudZeroHook",
                "hook-name": "CloudZero",
                "ui-field-behaviour": {
                    "hidden-fields": list(HIDDEN_FIELDS),
                    "relabeling": dict(RELABELING),
                    "placeholders": dict(PLACEHOLDERS),
                },
                "conn-fields": {name: _conn_field(**field) for name, field in EXTRA_FIELDS.items()},
            }
        ],
    }


# The port is shown because Airflow 3.3.1 and 3.3.2 refuse to test a connection without one (apache/airflow#73298).
HIDDEN_FIELDS = ("login", "schema")
RELABELING = {"password": "API key", "host": "API base URL"}
PLACEHOLDERS = {
    "password": "CloudZero API key",
    "host": "https://api.cloudzero.com",
    "port": "443 (the test button of Airflow 3.3.1 and 3.3.2 needs it)",
}

#: The fields of the connection's extra, for the form of every Airflow version.
EXTRA_FIELDS: dict[str, dict[str, Any]] = {
    "anycost_connection_id": {
        "label": "AnyCost connection ID",
        "kind": "string",
        "description": "The AnyCost stream that operators send to unless they name another. Copy it from its page in "
        "CloudZero, under Settings > Billing Connections.",
    },
    "timeout": {
        "label": "Request timeout (s)",
        "kind": "number",
        "description": "Seconds to wait for a reply; 60 when empty.",
    },
    "max_retry_seconds": {
        "label": "Retry limit (s)",
        "kind": "number",
        "description": "Seconds to retry one request, in total; 600 when empty.",
    },
    "settle_seconds": {
        "label": "Settle time (s)",
        "kind": "number",
        "description": "Seconds after which an unanswered request is assumed never to be applied; 60 when empty.",
    },
    "allow_http": {
        "label": "Allow http://",
        "kind": "boolean",
        "description": "Only for a sandbox in another container: the key is sent unencrypted.",
    },
}


def _conn_field(label: str, kind: str, description: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [kind, "null"]}
    if kind == "number":
        schema["minimum"] = 0
    return {"label": label, "description": description, "schema": schema}
