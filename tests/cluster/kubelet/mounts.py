"""The files that a kubelet puts into a pod's containers: projected tokens above all, really minted."""

import asyncio
import base64
import logging
import posixpath
from dataclasses import dataclass, field

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.kubelet.state import State

log = logging.getLogger(__name__)

# Until the node authoriser has heard of a fresh pod, its node may not ask for the pod's token.
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Minted:
    """A volume's token: the one of the pod's start, the one of now, and the refresh that brought it."""

    first: str
    latest: str
    refresh: int


@dataclass
class Mounts:
    """Reads files of containers; keeps each minted token until the state says that the pod's are to be refreshed."""

    api: Api
    state: State
    minted: dict[tuple[str, str, str], Minted] = field(default_factory=dict)

    async def mount(self, pod: JsonObject) -> None:
        """Mints the pod's tokens, as at its start. One that is refused is not there; a real pod would not start."""
        for volume in pod["spec"].get("volumes", []):
            for source in _sources(volume):
                if token := source.get("serviceAccountToken"):
                    await self._token(pod, volume["name"], token)

    async def read(self, pod: JsonObject, container: JsonObject, path: str) -> str | None:
        """The file's contents; None when no volume provides it."""
        path = posixpath.normpath(path)
        mounts = [each for each in container.get("volumeMounts", []) if _below(path, each["mountPath"]) is not None]
        if not mounts:
            return None
        mount: JsonObject = max(mounts, key=lambda each: len(each["mountPath"]))
        inside = posixpath.join(mount.get("subPath", ""), _below(path, mount["mountPath"]) or "").rstrip("/")
        volume = next(each for each in pod["spec"]["volumes"] if each["name"] == mount["name"])
        for source in _sources(volume):
            found = await self._from(source, pod, volume["name"], inside, frozen="subPath" in mount)
            if found is not None:
                return found
        return None

    async def _from(self, source: JsonObject, pod: JsonObject, volume: str, path: str, *, frozen: bool) -> str | None:
        namespace = pod["metadata"]["namespace"]
        if token := source.get("serviceAccountToken"):
            if path != token["path"]:
                return None
            minted = await self._token(pod, volume, token)
            if minted is None:
                return None
            # a file mounted by subPath is the one of the container's start, for ever
            return minted.first if frozen else minted.latest
        if config := source.get("configMap"):
            return await self._object(f"/api/v1/namespaces/{namespace}/configmaps/{config['name']}", config, path)
        if secret := source.get("secret"):
            name = secret.get("secretName") or secret["name"]
            return await self._object(f"/api/v1/namespaces/{namespace}/secrets/{name}", secret, path)
        for item in source.get("downwardAPI", {}).get("items", []):
            if item["path"] == path and item.get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
                return str(namespace)
        return None

    async def _token(self, pod: JsonObject, volume: str, source: JsonObject) -> Minted | None:
        """A refresh that fails leaves the old token, as in pkg/kubelet/token."""
        key = (pod["metadata"]["uid"], volume, source["path"])
        present, refresh = self.minted.get(key), self.state.refreshes(pod["metadata"]["uid"])
        if present is None or present.refresh != refresh:
            try:
                fresh = await self._mint(pod, source)
            except ApiError as error:
                log.warning("no token for volume %s of pod %s: %s", volume, pod["metadata"]["name"], error)
                return present
            self.minted[key] = Minted(present.first if present else fresh, fresh, refresh)
        return self.minted[key]

    async def _mint(self, pod: JsonObject, source: JsonObject) -> str:
        """As pkg/kubelet/token does: bound to the pod, asked for by the node (so NodeRestriction judges it)."""
        metadata, spec = pod["metadata"], pod["spec"]
        account = spec.get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [source["audience"]] if source.get("audience") else [],
                "expirationSeconds": source.get("expirationSeconds", 3600),
                "boundObjectRef": bound,
            },
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        node = self.api.as_node(spec["nodeName"])
        for pause in RETRY_SECONDS:
            try:
                return str((await node.post(path, request))["status"]["token"])
            except ApiError as error:
                if error.status != 403:
                    raise
            await asyncio.sleep(pause)
        return str((await node.post(path, request))["status"]["token"])

    async def _object(self, address: str, source: JsonObject, path: str) -> str | None:
        """A key of a ConfigMap or a Secret."""
        key = path
        if items := source.get("items"):
            key = next((item["key"] for item in items if item["path"] == path), "")
        try:
            found = await self.api.get(address)
        except ApiError as error:
            if error.status == 404:  # the real kubelet would not have started the pod
                return None
            raise
        value = found.get("data", {}).get(key)
        if value is None or "/secrets/" not in address:
            return None if value is None else str(value)
        return base64.b64decode(value).decode()


def _sources(volume: JsonObject) -> list[JsonObject]:
    if "projected" in volume:
        sources: list[JsonObject] = volume["projected"].get("sources", [])
        return sources
    return [volume]


def _below(path: str, mount_path: str) -> str | None:
    """The path below the mount; "" for the mount itself, None outside of it."""
    mount_path = posixpath.normpath(mount_path)
    if path == mount_path:
        return ""
    prefix = mount_path.rstrip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None
