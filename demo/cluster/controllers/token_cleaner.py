"""Marks generated token Secrets that nobody has used for a year, and deletes them after another one.

As in pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from demo.cluster import resources as r
from demo.cluster.authentication import INVALID_SINCE, LAST_USED
from demo.cluster.controllers.context import MANAGER, Context
from demo.cluster.objects import (
    Json,
    JsonObject,
    annotations_of,
    is_leaving,
    key_of,
    labels_of,
    meta,
    moment_of,
    name_of,
    namespace_of,
    uid_of,
)
from demo.cluster.registry import Deletion
from demo.cluster.validation import ACCOUNT_NAME, ACCOUNT_UID, TOKEN_SECRET

TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
_EVERY = timedelta(hours=24).total_seconds()
_UNUSED = timedelta(hours=8760)


class TokenCleaner:
    """Once a day, from a day after the cluster's first on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.agenda.after(_EVERY, self._clean)

    def _clean(self) -> None:
        self._context.agenda.after(_EVERY, self._clean)
        now = self._context.clock.now()
        since = self._tracked_since()
        if since is None or now < since + _UNUSED:
            return
        for secret in self._context.registry.store.items(r.SECRETS):
            if self._is_unused(secret, now):
                self._mark_or_delete(secret, now)

    def _tracked_since(self) -> datetime | None:
        """The midnight after the day that the API server has written down."""
        found = self._context.registry.store.get(r.CONFIG_MAPS, "kube-system", TRACKING)
        day = _day((found or {}).get("data", {}).get("since", ""))
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)

    def _is_unused(self, secret: JsonObject, now: datetime) -> bool:
        """One that its account lists, that no pod names, and that nobody has sent since."""
        if secret.get("type") != TOKEN_SECRET or is_leaving(secret):
            return False
        if moment_of(meta(secret)["creationTimestamp"]) >= now - _UNUSED:
            return False
        if used := labels_of(secret).get(LAST_USED):
            day = _day(used)
            if day is None or day >= (now - _UNUSED).date():
                return False
        return self._is_listed(secret) and name_of(secret) not in self._named_by_pods(namespace_of(secret))

    def _is_listed(self, secret: JsonObject) -> bool:
        said = annotations_of(secret)
        store = self._context.registry.store
        account = store.get(r.SERVICE_ACCOUNTS, namespace_of(secret), said.get(ACCOUNT_NAME, ""))
        if account is None or uid_of(account) != said.get(ACCOUNT_UID):
            return False
        return any(each["name"] == name_of(secret) for each in account.get("secrets") or [])

    def _named_by_pods(self, namespace: str) -> set[str]:
        pods = self._context.registry.store.items(r.PODS, namespace)
        return {name for pod in pods for name in _secret_names(pod["spec"])}

    def _mark_or_delete(self, secret: JsonObject, now: datetime) -> None:
        registry, marked = self._context.registry, _day(labels_of(secret).get(INVALID_SINCE, ""))
        if marked is None:

            def mark(found: JsonObject) -> JsonObject:
                meta(found)["labels"] = {**labels_of(found), INVALID_SINCE: now.strftime("%Y-%m-%d")}
                return found

            registry.change(r.SECRETS, *key_of(secret), mark, MANAGER)
        elif marked < (now - _UNUSED).date():
            registry.delete(r.SECRETS, *key_of(secret), Deletion(uid=uid_of(secret)), MANAGER)


def _day(text: str) -> date | None:
    """None for what is no date."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _secret_names(value: Json) -> Iterator[str]:
    """All that a pod's spec names, as `podutil.VisitPodSecretNames` finds them."""
    if isinstance(value, list):
        for each in value:
            yield from _secret_names(each)
    if isinstance(value, dict):
        for name, each in value.items():
            if name in {"secret", "secretRef", "secretKeyRef"} and isinstance(each, dict):
                yield str(each.get("secretName") or each.get("name") or "")
            elif name == "imagePullSecrets" and isinstance(each, list):
                yield from (str(one["name"]) for one in each if isinstance(one, dict))
            else:
                yield from _secret_names(each)
