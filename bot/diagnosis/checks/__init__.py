"""Every check, in one tuple: a pure function for each cause, with the facets that it looks at."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bot.diagnosis.case import Case
from bot.diagnosis.causes import CAUSES
from bot.diagnosis.checks import (
    account,
    authentication,
    caching,
    clocks,
    control_plane,
    elsewhere,
    embedded,
    kubelet,
    legacy,
    pod,
    practice,
    secret,
    signing,
    token,
    workload,
)
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
_CONTROLLERS = ("controllers", "leader", "namespace_defaults", "controller_probe", "secrets", "secret_accounts")
_KEYS = ("discovery", "api_servers", "controller_probe", *_TOKENS)

CHECKS: tuple[Check, ...] = (
    Check(token.token_expired, _LOGS, _TOKENS),
    Check(token.token_not_yet_valid, _LOGS, _TOKENS),
    Check(token.audience_mismatch, _LOGS, _TOKENS),
    Check(token.issuer_unknown, _LOGS, _TOKENS),
    Check(token.token_from_another_cluster, ("pod", "logs", "other_issuers"), _TOKENS),
    Check(token.signing_key_unknown, _LOGS, (*_TOKENS, "discovery")),
    Check(token.signature_invalid, _LOGS, (*_TOKENS, "discovery")),
    Check(token.token_malformed, _LOGS, _TOKENS),
    Check(account.service_account_missing, ("pod", "service_account")),
    Check(account.service_account_recreated, ("pod", "logs", "service_account"), _TOKENS),
    Check(account.service_account_terminating, ("service_account",)),
    Check(account.bound_object_gone, _LOGS, _TOKENS),
    Check(account.bound_object_recreated, _LOGS, _TOKENS),
    Check(legacy.token_secret_deleted, ("pod", "logs", "referenced_secrets"), _TOKENS),
    Check(legacy.token_secret_replaced, _LOGS, _TOKENS),
    Check(legacy.legacy_token_invalidated, ("pod", "referenced_secrets"), _TOKENS),
    Check(pod.token_not_mounted, _LOGS),
    Check(practice.default_service_account),
    Check(pod.token_mounted_by_subpath, _LOGS),
    Check(pod.token_in_environment, ("pod", "logs", "referenced_secrets"), ("spec_tokens",)),
    Check(practice.legacy_secret_mounted, ("pod", "referenced_secrets")),
    Check(pod.audience_only_foreign, _LOGS),
    Check(pod.token_lifetime_capped, ("pod",), ("exec_tokens",)),
    Check(caching.token_cached_in_process, _LOGS, _TOKENS),
    Check(kubelet.extended_token_cliff),
    Check(kubelet.rotation_stalled, ("pod", "events"), ("exec_tokens", "node_lease")),
    Check(kubelet.token_fetch_failed, ("pod", "events")),
    Check(kubelet.node_not_ready, ("pod", "node"), ("node_lease",)),
    Check(clocks.clock_skew_node, ("pod", "node_lease"), ("logs", "exec_tokens")),
    Check(clocks.clock_skew_api_server, ("identity_leases",)),
    Check(authentication.api_server_flags_differ, ("authentication",)),
    Check(authentication.oidc_misconfigured, (), ("logs",)),
    Check(authentication.webhook_authenticator_failing, (), ("logs",)),
    Check(authentication.stale_tokens_in_use, ("token_counts",)),
    Check(secret.secret_service_account_missing, ("secrets", "secret_accounts")),
    Check(secret.secret_uid_mismatch, ("secrets", "secret_accounts")),
    Check(secret.secret_terminating, ("secrets",)),
    Check(secret.secret_wrong_type, ("secrets",)),
    Check(secret.secret_unfilled, ("secrets", "secret_accounts")),
    Check(secret.secret_listed_on_service_account, ("secrets", "secret_accounts"), ("secret_users", "token_tracking")),
    Check(embedded.kubeconfig_token_expired, ("embedded",)),
    Check(embedded.embedded_token_expiring, ("embedded",)),
    Check(embedded.kubeconfig_certificate_expiring, ("embedded",)),
    Check(embedded.embedded_token_refused, ("embedded",)),
    Check(embedded.embedded_credential_broken, ("embedded",)),
    Check(control_plane.token_controller_down, (), _CONTROLLERS),
    Check(control_plane.token_controller_keyless, ("controllers",), ("leader", "controller_probe")),
    Check(signing.signing_keys_disagree, ("endpoint_discoveries",), _KEYS),
    Check(signing.issuer_discovery_broken, ("issuer_publication",), ("endpoint_discoveries",)),
    Check(elsewhere.api_unauthorized, _LOGS),
    Check(elsewhere.rbac_denied, _LOGS, ("access",)),
    Check(elsewhere.no_token_sent, _LOGS),
    Check(elsewhere.api_server_unreachable, _LOGS),
    Check(elsewhere.another_validator, _LOGS),
    Check(elsewhere.recovered, _LOGS),
    Check(elsewhere.failing_for_another_reason, _LOGS),
    Check(workload.pods_not_created, ("workload", "events")),
    Check(practice.token_lifetime_long),
    Check(practice.bindings_too_wide, ("service_account", "grants")),
    Check(practice.token_minting_granted, ("service_account", "grants")),
    Check(practice.token_secrets_readable, ("service_account", "grants", "token_secrets")),
)
