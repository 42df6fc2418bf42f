"""A cluster as a YAML file tells it: teams, what has happened to them, and what a visitor may break and mend.

All times are ages, counted back from the start, so that nothing grows old in the file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct, field

from demo.cluster.objects import Json, JsonObject
from demo.cluster.programs import Program

FOLDER = Path(__file__).parent / "scenarios"


class _Strict(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A field that is not known is a mistake."""


class Reference(_Strict, frozen=True, kw_only=True):
    """An object by `kind` and `name`."""

    kind: str
    namespace: str = ""
    name: str


class Patch(Reference, frozen=True, kw_only=True):
    """`merge` is a strategic merge patch; `status` one of the status."""

    merge: JsonObject = field(default_factory=dict)
    status: JsonObject = field(default_factory=dict)


class Denying(_Strict, frozen=True, kw_only=True):
    """An admission policy's refusal; without a message it is lifted."""

    namespace: str
    kind: str
    writer: str = "kube-controller-manager"
    message: str = ""


class Faulting(_Strict, frozen=True, kw_only=True):
    """A fault of the API server."""

    kind: Literal["latency", "too-many", "expired", "internal", "reset"]
    times: int = 1
    seconds: float = 1.0
    verb: str = ""
    resource: str = ""


class Kubeconfig(Reference, frozen=True, kw_only=True):
    """A Secret with a kubeconfig of the account of that name: `lasts` from `made_ago` on."""

    lasts: str
    made_ago: str = "0s"


class Generated(Reference, frozen=True, kw_only=True):
    """`account` lists it from then on."""

    account: str


class Passing(Reference, frozen=True, kw_only=True):
    """A workload for which so much time passes at once."""

    by: str


class Lagging(_Strict, frozen=True, kw_only=True):
    """A node's clock, that far behind; 0s sets it right."""

    node: str
    behind: str


class Step(_Strict, frozen=True, kw_only=True):
    """Something that is done to the cluster, so long before its start; of an act, at once."""

    age: str = "0s"
    after: str = "0s"
    """Of an act: so long after its other steps."""
    create: JsonObject | None = None
    delete: Reference | None = None
    patch: Patch | None = None
    restart: Reference | None = None
    deny: Denying | None = None
    fault: Faulting | None = None
    clear_faults: bool = False
    lag: Lagging | None = None
    stop_node: str = ""
    start_node: str = ""
    controller_manager: Literal["", "stop", "start"] = ""
    foreign_secret: Reference | None = None
    """An ordinary Secret with the token of an account of that name in another cluster."""
    kubeconfig_secret: Kubeconfig | None = None
    """`NAME-kubeconfig`, as an operator writes it and forgets to renew it."""
    generated_secret: Generated | None = None
    """A token Secret as Kubernetes made one for each service account, up to 1.23."""
    use: Reference | None = None
    """A client somewhere sends that token Secret's token."""
    invalidate: Reference | None = None
    """A legacy token Secret, marked as the cleaner marks it."""
    let_pass: Passing | None = None


class Workload(_Strict, frozen=True, kw_only=True):
    """`pod` and `container` are merged over what is usual."""

    name: str
    image: str
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"] = "Deployment"
    replicas: int = 1
    account: str = "default"
    age: str = "6d"
    pod: JsonObject = field(default_factory=dict)
    container: JsonObject = field(default_factory=dict)
    spec: JsonObject = field(default_factory=dict)


class Team(_Strict, frozen=True, kw_only=True):
    """A namespace. `title` is what it is for; `may`: what an account lists there, as `resource` or `resource.group`."""

    title: str = ""
    age: str = "200d"
    accounts: tuple[str, ...] = ()
    may: dict[str, tuple[str, ...]] = field(default_factory=dict)
    engineers: bool = True
    """Whether those on call may change things there."""
    workloads: tuple[Workload, ...] = ()


class Trouble(_Strict, frozen=True, kw_only=True):
    """A fault that lives. `target` as the bot takes it; `root` is the cause that it should name; `mend` an act."""

    name: str
    title: str
    target: str
    root: str
    routes: tuple[Literal["--secret-data", "--exec", "--probe"], ...] = ()
    sign: Literal["refused", "forbidden", "no file", "elsewhere", "unfilled", "old"]
    mend: str = ""


class Act(_Strict, frozen=True, kw_only=True):
    """What a visitor may do: `break-…` or `mend-…`."""

    name: str
    label: str
    does: tuple[Step, ...]


class Scenario(_Strict, frozen=True, kw_only=True):
    name: str
    nodes: tuple[str, ...] = ("worker-1", "worker-2", "worker-3")
    engineers: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    """Files beside this one."""
    identity: str = "token-doctor/token-doctor"
    """The service account that the kubeconfig is for."""
    programs: dict[str, Program] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    story: tuple[Step, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    acts: tuple[Act, ...] = ()


class ScenarioError(Exception):
    """The file has a mistake; the text says which."""


def load(name: str | Path) -> Scenario:
    """By its name, or a file. Raises ScenarioError."""
    path = name if isinstance(name, Path) else FOLDER / f"{name}.yaml"
    try:
        return msgspec.convert(_parsed(path.read_text("utf-8")), Scenario)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ScenarioError(f"The scenario {path} cannot be used: {error}") from None


def documents(name: str) -> Sequence[JsonObject]:
    """The objects of a file beside the scenarios."""
    text = (FOLDER / name).read_text("utf-8")
    return [each for each in yaml.load_all(text, Loader=_LOADER) if each]


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _parsed(text: str) -> Json:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe
