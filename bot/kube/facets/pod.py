"""The pod, who made it, what happened to it, and where it runs."""

from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.cleaning import cleaned
from bot.kube.facets.environment import tokens_in
from bot.kube.facets.graph import EVERYTHING, POD, RUNNING, SERVICE_ACCOUNT, Asking, facet
from bot.kube.facets.workload import dependents, manifest
from bot.kube.gaps import AbsentError, UnavailableError
from bot.kube.permissions import GET_NAMESPACE, GET_NODE, GET_OWNER, GET_POD, LIST_EVENTS
from bot.kube.together import all_of

_LONGEST_CHAIN = 5
_MOST_DEPENDENTS = 3


@facet(needs=(manifest,))
async def pod(asking: Asking) -> objects.Pod:
    """The pod itself, every text redacted; tokens in the environment are kept aside for `spec_tokens`.

    Of a workload it is the pod template: a pod without status that does not exist yet.
    """
    ref = asking.ref
    if ref.kind not in POD:
        meta = objects.Meta(name=ref.name, namespace=ref.namespace, uid=ref.uid)
        return objects.Pod(metadata=meta, spec=asking.value(manifest).template)
    try:
        found = await read.get(asking.api, GET_POD, objects.Pod, namespace=ref.namespace, name=ref.name)
    except AbsentError:
        raise UnavailableError("the pod is gone: it was deleted since it was looked up") from None
    return taken(asking, found)


def taken(asking: Asking, found: objects.Pod) -> objects.Pod:
    """A pod as it is kept."""
    asking.environment_tokens += tokens_in(found.spec)
    return cleaned(found)


@facet(needs=(pod,))
async def owners(asking: Asking) -> tuple[objects.Named, ...]:
    """The controllers, from the pod's own upwards. An owner of an unknown kind, or one that is gone, is the last."""
    chain: list[objects.Named] = []
    meta = asking.value(pod).metadata
    while (owner := next((ref for ref in meta.owner_references if ref.controller), None)) is not None:
        found = await _owner(asking, owner)
        chain.append(found)
        meta = found.metadata
        if len(chain) == _LONGEST_CHAIN:
            break
    return tuple(chain)


@facet(of=EVERYTHING)
async def namespace(asking: Asking) -> objects.Named | None:
    """The namespace's metadata; None when there is none."""
    name = asking.ref.namespace
    try:
        return replace(
            await read.metadata(asking.api, GET_NAMESPACE, objects.Named, namespace=name, name=name), kind="Namespace"
        )
    except AbsentError:
        return None


@facet(needs=(pod,))
async def node(asking: Asking) -> objects.Node | None:
    """The pod's node, its texts redacted; None when there is none, or the pod is not scheduled."""
    name = asking.value(pod).spec.node_name
    if not name:
        return None
    try:
        return cleaned(await read.get(asking.api, GET_NODE, objects.Node, name=name))
    except AbsentError:
        return None


@facet(of=RUNNING | SERVICE_ACCOUNT, needs=(pod,), uses=(dependents,))
async def events(asking: Asking) -> tuple[objects.Event, ...]:
    """Events of the pod and of its service account, a page of each; messages redacted.

    Of a workload's template they are those of the workload and of what it made: why no pod can be.
    """
    if asking.ref.kind in SERVICE_ACCOUNT:
        account, uids = asking.ref.name, []
    else:
        found = asking.value(pod)
        made = (asking.facet(dependents).value or ())[:_MOST_DEPENDENTS]
        account = found.spec.service_account_name
        uids = [found.metadata.uid, *(each.metadata.uid for each in made)]
    selectors = [f"involvedObject.uid={uid}" for uid in uids]
    selectors.append(f"involvedObject.kind=ServiceAccount,involvedObject.name={account}")
    pages = await all_of(_events(asking, selector) for selector in selectors)
    return tuple(event for page in pages for event in page)


async def _owner(asking: Asking, owner: objects.OwnerReference) -> objects.Named:
    named = objects.Named(
        kind=owner.kind, metadata=objects.Meta(name=owner.name, namespace=asking.ref.namespace, uid=owner.uid)
    )
    operation = GET_OWNER.get(owner.kind)
    if operation is None or owner.api_version.partition("/")[0] != (operation.group or "v1"):
        return named
    try:
        found = await read.metadata(
            asking.api, operation, objects.Named, namespace=asking.ref.namespace, name=owner.name
        )
    except AbsentError:
        return named
    return replace(found, kind=owner.kind)


async def _events(asking: Asking, selector: str) -> tuple[objects.Event, ...]:
    found = await read.get_some(
        asking.api, LIST_EVENTS, objects.Event, namespace=asking.ref.namespace, query={"fieldSelector": selector}
    )
    return tuple(cleaned(event) for event in found)
