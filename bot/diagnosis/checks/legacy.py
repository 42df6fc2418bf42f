"""The token of a legacy Secret: deleted, replaced, or marked invalid."""

from collections.abc import Iterator

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, quote
from bot.diagnosis.refused import claims_of, last_refusal, proofs, refused_for
from bot.model import Finding, Route, Severity

_BESIDE_A_GOOD_ONE = " The container has another token, and nothing says that this one is sent."


def token_secret_deleted(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-secret-deleted")
    gone = sorted(case.missing_secrets()) if said or case.refusals or _wants_token(case) else []
    if not said and not gone:
        return
    evidence = [quote(Route.OBJECT, "API server", f"GET secrets/{name}: 404, not found") for name in gone]
    names = gone or sorted({c.secret for c in claims_of(said) if c.secret})
    which = f" {case.snapshot.target.namespace}/{names[0]}" if names else ""
    needed = bool(said) or case.relied_on(frozenset(gone))
    text = f"The token's Secret{which} does not exist any more, and with it the token is dead."
    yield found(
        "token-secret-deleted",
        text if needed else text + _BESIDE_A_GOOD_ONE,
        [*evidence, *proofs(said), *last_refusal(case)],
        severity=Severity.CRITICAL if needed else Severity.WARNING,
    )


def _wants_token(case: Case) -> bool:
    """Whether a Secret is wanted as a token without doubt: by its key, or where clients look for their token."""
    gone = case.missing_secrets()
    by_key = any(variable.secret in gone and variable.key == "token" for variable in case.variables)
    return by_key or any(mount.secret in gone and "serviceaccount" in mount.path for mount in case.mounts)


def token_secret_replaced(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-secret-replaced")
    if said:
        yield refused_for("token-secret-replaced", said, "The Secret holds another token than the one that was sent.")


def legacy_token_invalidated(case: Case) -> Iterator[Finding]:
    marked = [held for held in case.used_secrets() if held.metadata.labels.legacy_token_invalid_since]
    said = case.rejected_for("legacy-token-invalidated")
    if marked or said:
        evidence = [
            quote(
                Route.OBJECT,
                f"labels of Secret {held.metadata.namespace}/{held.metadata.name}",
                f"kubernetes.io/legacy-token-invalid-since={held.metadata.labels.legacy_token_invalid_since}",
            )
            for held in marked
        ]
        names = [held.metadata.name for held in marked]
        which = f" {', '.join(names)}" if names else ""
        needed = bool(said) or case.relied_on(frozenset(names))
        text = f"The token of Secret{which} was marked invalid by the legacy token cleaner."
        yield found(
            "legacy-token-invalidated",
            text if needed else text + _BESIDE_A_GOOD_ONE,
            [*evidence, *proofs(said)],
            severity=Severity.CRITICAL if needed else Severity.WARNING,
        )
