"""The table runbooks.yaml, and what a page's placeholders are in a scene."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from bot.diagnosis.runbooks import PLACEHOLDER
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.faults.scene import TOKEN_FILE, Scene

TOKEN_SECRET = "kubernetes.io/service-account-token"
_NAMED = {"Secret": "SECRET", "ServiceAccount": "ACCOUNT", "Node": "NODE", "Deployment": "DEPLOYMENT"}


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """What the page's commands with the text `of` do.

    shows   stands in what is printed
    ends    the exit code
    silent  printing nothing is right here
    none    columns that rightly hold nothing but <none>
    """

    of: str
    shows: str = ""
    ends: int = 0
    silent: bool = False
    none: tuple[str, ...] = ()


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """How a page is followed: the table's head says what each field is."""

    inject: str = ""
    fill: Mapping[str, str] = {}
    made: str = ""
    commands: tuple[Expected, ...] = ()
    mended: tuple[Expected, ...] = ()


TABLE = msgspec.convert(yaml.safe_load(Path(__file__).with_name("runbooks.yaml").read_text("utf-8")), dict[str, Told])


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the scene's names."""
    return PLACEHOLDER.sub(lambda found: values[found[0]], text)


async def values(scene: Scene, found: JsonObject, wanted: Collection[str]) -> dict[str, str]:
    """What the wanted placeholders are where this object is looked at; what the scene lacks is made."""
    names = {"NS": scene.namespace, "ACCOUNT": "checkout", "DEPLOYMENT": "checkout", "KEY": "token", "CONTEXT": "other"}
    if found["kind"] == "Pod":
        names |= _of_a_pod(found)
    elif {"POD", "CONTAINER", "NODE", "TOKEN_FILE"} & set(wanted):
        names |= _of_a_pod(await _pod(scene))
    kind, metadata = found["kind"], found["metadata"]
    if kind in _NAMED:
        names[_NAMED[kind]] = metadata["name"]
    if of_account := metadata.get("annotations", {}).get("kubernetes.io/service-account.name"):
        names["ACCOUNT"] = of_account
    if "DEPLOYMENT" in wanted:
        await _deployment(scene, names["DEPLOYMENT"], names["ACCOUNT"])
    if "SECRET" in wanted and "SECRET" not in names:
        names["SECRET"] = await _secret(scene, names["ACCOUNT"])
    return names


def _of_a_pod(pod: JsonObject) -> dict[str, str]:
    return {
        "POD": pod["metadata"]["name"],
        "CONTAINER": pod["spec"]["containers"][0]["name"],
        "TOKEN_FILE": TOKEN_FILE,
        "NODE": pod["spec"].get("nodeName", "worker-1"),
        "ACCOUNT": pod["spec"].get("serviceAccountName", "default"),
    }


async def _pod(scene: Scene) -> JsonObject:
    """A pod of the scene, else one of its own."""
    present = (await scene.plane.api.get(f"/api/v1/namespaces/{scene.namespace}/pods"))["items"]
    return present[0] if present else await scene.pod()


async def _secret(scene: Scene, account: str) -> str:
    """A token Secret of the scene, else one of its own; where no account can have one, just a name."""
    path = f"/api/v1/namespaces/{scene.namespace}"
    present = (await scene.plane.api.get(f"{path}/secrets"))["items"]
    of_token_type = [each for each in present if each["type"] == TOKEN_SECRET]
    if of_token_type:
        return str(of_token_type[0]["metadata"]["name"])
    try:
        owner = await scene.plane.api.get(f"{path}/serviceaccounts/{account}")
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return "checkout-token"
    if "deletionTimestamp" not in owner["metadata"]:
        await scene.token_secret(account=account)
    return "checkout-token"


async def _deployment(scene: Scene, name: str, account: str) -> None:
    """Nobody waits for its pods: where the account is gone there will be none."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"serviceAccountName": account, "containers": [{"name": "app", "image": "shop/checkout:1.4"}]},
    }
    manifest: JsonObject = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": scene.namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    try:
        await scene.plane.workloads.create(manifest)
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT:  # the scene's own will do
            raise


def whole(fragment: object) -> JsonObject:
    """A manifest that can be applied: parts of a pod's spec or of its container are put into a pod."""
    assert isinstance(fragment, dict), fragment
    if "apiVersion" in fragment:
        return fragment
    of_container = {"volumeMounts", "env", "envFrom"}
    container = {key: value for key, value in fragment.items() if key in of_container}
    spec = {key: value for key, value in fragment.items() if key not in of_container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "from-the-page"},
        "spec": {"containers": [{"name": "app", "image": "shop/checkout:1.4", **container}], **spec},
    }
