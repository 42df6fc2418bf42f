"""The service account, who else has it, and what RBAC allows it."""

from bot import objects
from bot.kube import read
from bot.kube.access import account_access
from bot.kube.facets.graph import RUNNING, SERVICE_ACCOUNT, Asking, facet
from bot.kube.facets.logs import logs
from bot.kube.facets.pod import pod
from bot.kube.gaps import AbsentError
from bot.kube.permissions import GET_SERVICE_ACCOUNT, LIST_PODS
from bot.kube.together import all_of
from bot.messages import forbidden
from bot.model import Access, Rule

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
    namespace = asking.ref.namespace
    return await all_of(
        account_access(asking.api, namespace=namespace, account=account, rule=rule)
        for rule in list(rules)[:_MOST_REVIEWS]
    )
