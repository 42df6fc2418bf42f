"""The API server's metrics that are about tokens, in Prometheus' text form."""

from datetime import datetime

from demo.cluster.authentication import Counts


def text(counts: Counts, started: datetime) -> str:
    values = {
        'authentication_attempts{result="error"}': counts.refused,
        'authentication_attempts{result="success"}': counts.accepted,
        "process_start_time_seconds": f"{started.timestamp():.2f}",
        "serviceaccount_invalid_legacy_auto_token_uses_total": counts.legacy_invalid,
        "serviceaccount_legacy_auto_token_uses_total": counts.legacy_generated,
        "serviceaccount_legacy_manual_token_uses_total": counts.legacy_manual,
        "serviceaccount_legacy_tokens_total": counts.legacy,
        "serviceaccount_stale_tokens_total": counts.stale,
        "serviceaccount_valid_tokens_total": counts.valid,
    }
    return "".join(f"{name} {value}\n" for name, value in values.items())
