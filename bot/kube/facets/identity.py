"""The service account, its Secrets, and who else has them. Metadata only: no token enters the program here."""

from msgspec import Struct

from bot import objects
from bot.kube import read
from bot.kube.facets.graph import RUNNING, SERVICE_ACCOUNT, Asking, facet
from bot.kube.facets.logs import logs
from bot.kube.facets.pod import pod
from bot.kube.gaps import AbsentError, shortened
from bot.kube.permissions import GET_SECRET, GET_SERVICE_ACCOUNT, LIST_PODS, LIST_SECRETS, REVIEW_ACCESS
from bot.kube.together import all_of
from bot.messages import forbidden
from bot.model import Access, ReferencedSecret, Rule
from bot.mounts import token_variables

_TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105  # a Secret's type, not a secret
_MOST_REVIEWS = 10


@facet(of=RUNNING | SERVICE_ACCOUNT, needs=(pod,), shared=True)
async def account_name(asking: Asking) -> str:
    """The name of the service account that the target is, or runs as."""
    if asking.ref.kind in SERVICE_ACCOUNT:
        return asking.ref.name
    return asking.value(pod).spec.service_account_name


@facet(of=RUNNING | SERVICE_ACCOUNT, needs=(account_name,))
async def service_account(asking: Asking) -> objects.ServiceAccount | None:
    """The target's service account; None when there is none."""
    name = asking.value(account_name)
    try:
        return await read.get(
            asking.api, GET_SERVICE_ACCOUNT, objects.ServiceAccount, namespace=asking.ref.namespace, name=name
        )
    except AbsentError:
        return None


@facet(of=RUNNING | SERVICE_ACCOUNT, shared=True)
async def namespace_token_secrets(asking: Asking) -> tuple[objects.Named, ...]:
    """Every token Secret of the namespace: read once, for the two facets that follow."""
    return await read.get_all(
        asking.api,
        LIST_SECRETS,
        objects.Named,
        namespace=asking.ref.namespace,
        query={"fieldSelector": f"type={_TOKEN_SECRET}"},
        accept=read.METADATA_LIST,
    )


@facet(of=RUNNING | SERVICE_ACCOUNT, needs=(account_name, namespace_token_secrets))
async def token_secrets(asking: Asking) -> tuple[objects.Named, ...]:
    """The token Secrets made for the target's service account, by name."""
    account = asking.value(account_name)
    return tuple(
        secret
        for secret in asking.value(namespace_token_secrets)
        if secret.metadata.annotations.service_account_name == account
    )


@facet(needs=(pod,), uses=(namespace_token_secrets,))
async def referenced_secrets(asking: Asking) -> tuple[ReferencedSecret, ...]:
    """The Secrets that the pod mounts or takes variables from, in the order of their names.

    Metadata has no type. A token Secret is known by the list of them, or by its annotation where that is denied.
    """
    names = _referenced(asking.value(pod))
    return await all_of(_referenced_secret(asking, name) for name in names)


@facet(needs=(pod,))
async def peers(asking: Asking) -> tuple[str, ...]:
    """The names of the other pods with the same service account, at most a page of them."""
    found = asking.value(pod)
    pods = await read.get_some(
        asking.api,
        LIST_PODS,
        objects.Named,
        namespace=asking.ref.namespace,
        query={"fieldSelector": f"spec.serviceAccountName={found.spec.service_account_name}"},
        accept=read.METADATA_LIST,
    )
    return tuple(sorted(peer.metadata.name for peer in pods if peer.metadata.name != found.metadata.name))


@facet(needs=(pod, logs))
async def access(asking: Asking) -> tuple[Access, ...]:
    """Whether RBAC still refuses what the pod's log says was refused to its own service account."""
    found = asking.value(pod)
    account = found.spec.service_account_name
    user = f"system:serviceaccount:{asking.ref.namespace}:{account}"
    rules: dict[Rule, None] = {}
    for log in asking.value(logs):
        for line in log.lines:
            refused = forbidden(line.text) if "cannot" in line.text else None
            if refused is not None and refused.user == user:
                rules[refused.rule] = None
    return await all_of(_access(asking, user, rule) for rule in list(rules)[:_MOST_REVIEWS])


class _Verdict(Struct, frozen=True):
    allowed: bool = False
    reason: str = ""


class _AccessReview(Struct, frozen=True):
    status: _Verdict = _Verdict()


async def _access(asking: Asking, user: str, rule: Rule) -> Access:
    resource, _, subresource = rule.resource.partition("/")
    attributes = {
        "verb": rule.verb,
        "group": rule.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": rule.namespace,
        "name": rule.name,
    }
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{asking.ref.namespace}", "system:authenticated"]
    spec = {"user": user, "groups": groups, "resourceAttributes": attributes}
    review = await read.create(asking.api, REVIEW_ACCESS, _AccessReview, {"spec": spec})
    return Access(user=user, rule=rule, allowed=review.status.allowed, reason=shortened(review.status.reason))


def _referenced(found: objects.Pod) -> list[str]:
    volumes = found.spec.volumes
    whole = {volume.secret.secret_name for volume in volumes if volume.secret}
    projected = {
        source.secret.name
        for volume in volumes
        if volume.projected
        for source in volume.projected.sources
        if source.secret
    }
    variables = {variable.secret for variable in token_variables(found)}
    return sorted((whole | projected | variables) - {""})


async def _referenced_secret(asking: Asking, name: str) -> ReferencedSecret:
    try:
        secret = await read.metadata(asking.api, GET_SECRET, objects.Named, namespace=asking.ref.namespace, name=name)
    except AbsentError:
        return ReferencedSecret(name=name)
    listed = asking.facet(namespace_token_secrets)
    known = () if listed.gap else listed.read()
    is_token = bool(secret.metadata.annotations.service_account_name) or any(
        token.metadata.uid == secret.metadata.uid for token in known
    )
    return ReferencedSecret(name=name, secret=secret, type=_TOKEN_SECRET if is_token else "")
