"""The pod, who made it, what happened to it, and where it runs."""

import re

from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.cleaning import cleaned
from bot.kube.facets.graph import EVERYTHING, Asking, FoundToken, facet
from bot.kube.gaps import AbsentError, UnavailableError
from bot.kube.permissions import GET_NAMESPACE, GET_NODE, GET_OWNER, GET_POD, LIST_EVENTS
from bot.kube.together import both
from bot.mounts import containers
from bot.tokens import RawToken

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST_CHAIN = 5


@facet()
async def pod(asking: Asking) -> objects.Pod:
    """The pod itself, every text redacted; tokens in the environment are kept aside for `spec_tokens`."""
    try:
        found = await read.get(asking.api, GET_POD, objects.Pod, namespace=asking.ref.namespace, name=asking.ref.name)
    except AbsentError:
        raise UnavailableError("the pod is gone: it was deleted since it was looked up") from None
    asking.environment_tokens += _tokens_in(found)
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
async def node(asking: Asking) -> objects.Named | None:
    """The node's metadata; None when there is none, or the pod is not scheduled."""
    name = asking.value(pod).spec.node_name
    if not name:
        return None
    try:
        return replace(await read.metadata(asking.api, GET_NODE, objects.Named, name=name), kind="Node")
    except AbsentError:
        return None


@facet(needs=(pod,))
async def events(asking: Asking) -> tuple[objects.Event, ...]:
    """Events of the pod and of its service account, a page of each; messages redacted."""
    found = asking.value(pod)
    account = found.spec.service_account_name
    of_pod, of_account = await both(
        _events(asking, f"involvedObject.uid={found.metadata.uid}"),
        _events(asking, f"involvedObject.kind=ServiceAccount,involvedObject.name={account}"),
    )
    return (*of_pod, *of_account)


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


def _tokens_in(found: objects.Pod) -> list[FoundToken]:
    return [
        FoundToken(raw=RawToken(token), container=container.name, variable=variable.name)
        for container in containers(found)
        for variable in container.env
        for token in _TOKEN.findall(variable.value)
    ]
