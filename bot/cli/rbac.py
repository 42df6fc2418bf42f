"""`rbac`: the least rights for the features that are switched on, ready for kubectl."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap

from msgspec import Struct

from bot.cli.configuration import WRONG, loaded
from bot.errors import WrongUsageError
from bot.kube.roles import EVERYWHERE, FEATURES, READING, USUAL_PROBES, Role, roles, switched_on

_DONE = 0
_WIDTH = 118
_API = "rbac.authorization.k8s.io"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
ALL = "all"

ABOUT: Mapping[str, str] = {
    READING: "What every check and every digest reads. Nothing here changes anything in the cluster: the reviews are "
    "questions to the API server. Secrets are asked for their metadata only (names, labels, annotations), but "
    "Kubernetes cannot grant that without their data: leave the rule out, and a report says what it could not see.",
    "probe": "checks.probe: a fresh token for the pod, and what the API server says of it. Whoever may create tokens "
    "can act as any service account there: the admission policy allows ten minutes, and no protected namespace.",
    "exec": "checks.exec: the token file in the container. The admission policy allows `cat FILE` alone.",
    "secret-data": "checks.read_secret_data: what the API server says of the tokens in Secrets. A digest looks for "
    "credentials in all Secrets then; for that alone the rights of reading are enough.",
    "controller-probe": "checks.controller_probe: is a throw-away token Secret filled? Whoever may make token Secrets "
    "in a namespace can have a token of every service account in it: so it is a namespace of its own, with no others.",
    "restart-workload": "The action restart-workload. RBAC cannot narrow a patch: the admission policy does.",
    "delete-pod": "The action delete-pod: by eviction, so that PodDisruptionBudgets hold.",
    "create-token-secret": "The action create-token-secret. Whoever may make token Secrets in a namespace can have a "
    "token of every service account in it: grant it where it is wanted only (--namespace).",
    "rotate-token-secret": "The action rotate-token-secret: a second token Secret. The first one is deleted by "
    "delete-legacy-secret. What is said of create-token-secret holds here too.",
    "delete-legacy-secret": "The action delete-legacy-secret. The admission policy allows token Secrets alone.",
    "reactivate-legacy-token": "The action reactivate-legacy-token. The admission policy allows one label alone.",
    "probe-token": "The action probe-token: as checks.probe, but after an approval.",
}


class Asked(Struct, frozen=True, kw_only=True):
    """For whom and for what. `namespaces` are the targets', EVERYWHERE for all."""

    features: tuple[str, ...]
    namespaces: tuple[str, ...] = EVERYWHERE
    probes: str = USUAL_PROBES
    account: str = "token-doctor"
    account_namespace: str = "token-doctor"


def run(
    config: Path | None, features: str | None, namespaces: Sequence[str], service_account: str, *, reading: bool
) -> int:
    """`reading` where what every check reads is to be granted too. Raises WrongUsageError."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    account_namespace, _, account = service_account.partition("/")
    if not (_NAME.fullmatch(account_namespace) and _NAME.fullmatch(account)):
        raise WrongUsageError(f"{service_account} names no service account.", next_step="Write it as NAMESPACE/NAME.")
    if wrong := [name for name in namespaces if not _NAME.fullmatch(name)]:
        raise WrongUsageError(f"{wrong[0]} is no namespace's name.", next_step="Give --namespace for each of them.")
    asked = Asked(
        features=switched_on(settings.checks, settings.policy) if features is None else _named(features),
        namespaces=tuple(dict.fromkeys(namespaces)) or EVERYWHERE,
        probes=settings.checks.controller_probe or USUAL_PROBES,
        account=account,
        account_namespace=account_namespace,
    )
    wanted = [READING, *asked.features] if reading else asked.features
    sys.stdout.write("---\n".join(manifests(feature, asked) for feature in wanted))
    return _DONE


def manifests(feature: str, asked: Asked) -> str:
    """The feature's roles and their bindings, as YAML documents; a feature may need no more than reading."""
    found = roles(feature, namespaces=asked.namespaces, probes=asked.probes)
    documents = [document for role in found for document in (_role(role), _binding(role, asked))]
    if feature == "controller-probe":
        documents.insert(0, f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {asked.probes}}}\n")
    about = "".join(f"# {line}\n" for line in wrap(ABOUT[feature], _WIDTH))
    return about + "---\n".join(documents)


def _named(features: str) -> tuple[str, ...]:
    words = [word.strip().lower() for word in features.split(",") if word.strip()]
    for word in words:
        if word not in {*FEATURES, READING, ALL}:
            near = get_close_matches(word, FEATURES, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(FEATURES)}."
            raise WrongUsageError(f"There is no feature {word}.", next_step=hint)
    return tuple(feature for feature in FEATURES if feature in words or ALL in words)


def _role(role: Role) -> str:
    return "\n".join([*_head(role, role.kind), "rules:", *(f"  {line}" for line in role.lines()), ""])


def _binding(role: Role, asked: Asked) -> str:
    subject = f"{{kind: ServiceAccount, name: {asked.account}, namespace: {asked.account_namespace}}}"
    reference = f"roleRef: {{apiGroup: {_API}, kind: {role.kind}, name: {role.name}}}"
    return "\n".join([*_head(role, f"{role.kind}Binding"), reference, "subjects:", f"  - {subject}", ""])


def _head(role: Role, kind: str) -> Iterator[str]:
    where = f", namespace: {role.namespace}" if role.namespace else ""
    yield f"apiVersion: {_API}/v1"
    yield f"kind: {kind}"
    yield f"metadata: {{name: {role.name}{where}}}"
