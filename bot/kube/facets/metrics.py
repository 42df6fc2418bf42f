"""What the API server counts. Its metrics are megabytes, so they are read only where they can tell something."""

import re
from datetime import UTC, datetime, timedelta

from bot.kube import read
from bot.kube.facets.graph import NAMESPACE, SERVICE_ACCOUNT, Asking, facet
from bot.kube.permissions import GET_METRICS
from bot.model import TokenCounts

_WANTED = re.compile(
    rb"(?P<name>serviceaccount_(?:valid|stale|legacy|invalid_legacy_auto)_token(?:s|_uses)_total"
    rb'|authentication_attempts\{result="error"\}|process_start_time_seconds) (?P<value>\S+)'
)
_GOOD_FOR = timedelta(minutes=1)


@facet(of=SERVICE_ACCOUNT | NAMESPACE, seconds=2)
async def token_counts(asking: Asking) -> TokenCounts:
    """The counts of the API server that answers. Never asked for a pod, where an answer is in a hurry.

    On an idle API server of one node the metrics are 1.9 MB and take 29 ms, on a big one ten times that: as long as a
    whole check, for numbers that name no client.
    """
    cluster = asking.cluster
    async with cluster.counting:
        if cluster.counted is None or asking.now() - cluster.counted[0] > _GOOD_FOR:
            found = await read.matches(asking.api, GET_METRICS, _WANTED)
            cluster.counted = asking.now(), _counts(cluster.server, found)
        return cluster.counted[1]


def _counts(endpoint: str, found: list[re.Match[bytes]]) -> TokenCounts:
    values = {match["name"].decode(): float(match["value"]) for match in found}
    started = values.get("process_start_time_seconds")

    def count(name: str) -> int | None:
        return int(values[name]) if name in values else None

    return TokenCounts(
        endpoint=endpoint,
        started_at=datetime.fromtimestamp(started, UTC) if started else None,
        valid=count("serviceaccount_valid_tokens_total"),
        stale=count("serviceaccount_stale_tokens_total"),
        legacy=count("serviceaccount_legacy_tokens_total"),
        invalidated=count("serviceaccount_invalid_legacy_auto_token_uses_total"),
        refused=count('authentication_attempts{result="error"}'),
    )
