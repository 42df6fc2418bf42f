"""Every check, in one tuple: a pure function for each cause, with the facets that it looks at."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bot.diagnosis.case import Case
from bot.diagnosis.causes import CAUSES
from bot.diagnosis.checks import caching, elsewhere, pod, token
from bot.model import Finding, Severity


class Check(Struct, frozen=True):
    """A check is named for its cause.

    `needs` must be read, or the check is skipped. `uses` are looked at where they were read: when one of them was
    denied, timed out or unavailable, finding nothing proves nothing.
    """

    run: Callable[[Case], Iterable[Finding]]
    needs: tuple[str, ...] = ("pod",)
    uses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.run.__name__.replace("_", "-")

    @property
    def gravest(self) -> Severity:
        return CAUSES[self.name].severity


_LOGS = ("pod", "logs")
_TOKENS = ("exec_tokens", "secret_tokens", "spec_tokens", "probe")

CHECKS: tuple[Check, ...] = (
    Check(token.token_expired, _LOGS, _TOKENS),
    Check(token.token_not_yet_valid, _LOGS, _TOKENS),
    Check(token.audience_mismatch, _LOGS, _TOKENS),
    Check(token.issuer_unknown, _LOGS, _TOKENS),
    Check(token.token_from_another_cluster, ("pod", "logs", "other_issuers"), _TOKENS),
    Check(token.signing_key_unknown, _LOGS, (*_TOKENS, "discovery")),
    Check(token.signature_invalid, _LOGS, (*_TOKENS, "discovery")),
    Check(token.token_malformed, _LOGS, _TOKENS),
    Check(token.service_account_missing, ("pod", "service_account")),
    Check(token.service_account_recreated, ("pod", "logs", "service_account"), _TOKENS),
    Check(token.service_account_terminating, ("pod", "service_account")),
    Check(token.bound_object_gone, _LOGS, _TOKENS),
    Check(token.bound_object_recreated, _LOGS, _TOKENS),
    Check(token.token_secret_deleted, ("pod", "logs", "referenced_secrets"), _TOKENS),
    Check(token.token_secret_replaced, _LOGS, _TOKENS),
    Check(token.legacy_token_invalidated, ("pod", "referenced_secrets"), _TOKENS),
    Check(pod.token_not_mounted, _LOGS),
    Check(pod.default_service_account),
    Check(pod.token_mounted_by_subpath, _LOGS),
    Check(pod.token_in_environment, ("pod", "logs", "referenced_secrets"), ("spec_tokens",)),
    Check(pod.legacy_secret_mounted, ("pod", "referenced_secrets")),
    Check(pod.audience_only_foreign, _LOGS),
    Check(pod.token_lifetime_capped, ("pod",), ("exec_tokens",)),
    Check(caching.token_cached_in_process, _LOGS, _TOKENS),
    Check(pod.extended_token_cliff),
    Check(pod.rotation_stalled, ("pod", "events"), ("exec_tokens",)),
    Check(pod.token_fetch_failed, ("pod", "events")),
    Check(elsewhere.api_unauthorized, _LOGS),
    Check(elsewhere.rbac_denied, _LOGS, ("access",)),
    Check(elsewhere.no_token_sent, _LOGS),
    Check(elsewhere.api_server_unreachable, _LOGS),
    Check(elsewhere.another_validator, _LOGS),
    Check(elsewhere.recovered, _LOGS),
    Check(elsewhere.failing_for_another_reason, _LOGS),
)
