"""The control plane's own pods, where they are visible: what runs there, and with which flags."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot import objects
from bot.kube import read
from bot.kube.cleaning import cleaned
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.permissions import CONTROL_PLANE, LIST_PODS
from bot.objects import KubeStruct

API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
_MOST_PODS = 40

Flags = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Component:
    """One pod of a component. `flags` are its command line's, by name; None where no command line is visible."""

    component: str
    pod: str
    node: str
    status: objects.PodStatus
    flags: Flags | None = None

    @property
    def container(self) -> objects.ContainerStatus | None:
        """The status of the container that is the component; a static pod has no other."""
        statuses = self.status.container_statuses
        return next((each for each in statuses if each.name == self.component), next(iter(statuses), None))


class _Container(KubeStruct, frozen=True, kw_only=True):
    name: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class _Spec(KubeStruct, frozen=True, kw_only=True):
    containers: tuple[_Container, ...] = ()
    node_name: str = ""


class _Pod(KubeStruct, frozen=True, kw_only=True):
    metadata: objects.Meta
    spec: _Spec = _Spec()
    status: objects.PodStatus = objects.PodStatus()


@facet(of=EVERYTHING, shared=True)
async def control_plane_pods(asking: Asking) -> tuple[Component, ...]:
    """The pods of the API server and of the controller manager, as kubeadm labels them; none on a managed one."""
    pods = await read.get_some(
        asking.api,
        LIST_PODS,
        _Pod,
        namespace=CONTROL_PLANE,
        query={"labelSelector": f"component in ({API_SERVER},{CONTROLLER_MANAGER})"},
        most=_MOST_PODS,
    )
    return tuple(_component(cleaned(pod)) for pod in pods)


def flags_of(command: Sequence[str]) -> Flags | None:
    """The flags of a command line, each with all its values; None where there is no flag at all.

    `--name=value`, `--name value` and a bare `--name` (true); a line inside `sh -c` is taken apart too.
    """
    words = [word for part in command for word in _words(part)]
    found: dict[str, tuple[str, ...]] = {}
    for word, following in pairwise([*words, ""]):
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = following if following and not following.startswith("-") else "true"
        name = name.replace("_", "-")
        found[name] = (*found.get(name, ()), value)
    return found or None


def _words(part: str) -> list[str]:
    """A whole command line given as one word is a shell's; of one with an open quote the plain words are enough."""
    if " --" not in part or part.startswith("-"):
        return [part]
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()


def _component(pod: _Pod) -> Component:
    component = pod.metadata.labels.component
    containers = pod.spec.containers
    main = next((each for each in containers if each.name == component), next(iter(containers), None))
    return Component(
        component=component,
        pod=pod.metadata.name,
        node=pod.spec.node_name,
        status=pod.status,
        flags=flags_of((*main.command, *main.args)) if main else None,
    )
