"""The files that volumes put into containers: projected tokens above all, refreshed as a kubelet does."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from demo.cluster import resources as r
from demo.cluster.issuing import ISSUER, Minter, TokenSpec
from demo.cluster.objects import JsonObject, is_leaving, meta, moment_of, namespace_of, uid_of
from demo.cluster.secret_data import plain
from demo.cluster.store import Store

Place: TypeAlias = tuple[str, str, str]
"""A pod's uid, a volume and the path in it."""

_LONGEST_HELD = timedelta(hours=24)
_REFRESHED_AT = 0.8
"""Of a token's life (`pkg/kubelet/token/token_manager.go`)."""


@dataclass
class Held:
    """A projected token: that of the pod's start, and the newest, made by the refresh of this number."""

    since: datetime
    first: str
    latest: str
    refresh: int = 0


@dataclass
class Mounts:
    """Tokens are minted when they are looked at, dated as of when the kubelet would have fetched them."""

    store: Store
    minter: Minter
    _held: dict[Place, Held] = field(default_factory=dict)

    def start(self, pod: JsonObject, now: datetime) -> None:
        """Mints the pod's first tokens; its account is there, admission has seen to that."""
        for volume, source in _token_sources(pod):
            account = self._account(pod)
            if account is not None:
                token = self._mint(pod, account, source, now)
                place = (uid_of(pod), volume, source["path"])
                self._held[place] = Held(now, token, token)

    def age(self, pod: JsonObject, by: timedelta) -> None:
        """As if the pod had been started so much earlier, by the account that it has now."""
        for volume, source in _token_sources(pod):
            held = self._held.get((uid_of(pod), volume, source["path"]))
            account = self._account(pod)
            if held is not None and account is not None:
                since = held.since - by
                token = self._mint(pod, account, source, since)
                self._held[uid_of(pod), volume, source["path"]] = Held(since, token, token)

    def first(self, pod: JsonObject, path: str) -> str | None:
        """The token of the pod's start, where the file is one."""
        name = posixpath.basename(path)
        held = (held for (uid, _, inside), held in self._held.items() if (uid, inside) == (uid_of(pod), name))
        return next((each.first for each in held), None)

    def forget(self, pod_uid: str) -> None:
        for place in [each for each in self._held if each[0] == pod_uid]:
            del self._held[place]

    def read(self, pod: JsonObject, container: JsonObject, path: str, now: datetime) -> str | None:
        """The file's text; None where there is no such file."""
        path = posixpath.normpath(path)
        mounts = [each for each in container.get("volumeMounts", []) if _below(path, each["mountPath"]) is not None]
        if not mounts:
            return None
        mount: JsonObject = max(mounts, key=lambda each: len(each["mountPath"]))
        inside = posixpath.join(mount.get("subPath", ""), _below(path, mount["mountPath"]) or "").rstrip("/")
        volumes: list[JsonObject] = pod["spec"].get("volumes", [])
        volume = next((each for each in volumes if each["name"] == mount["name"]), {})
        sources = volume["projected"].get("sources", []) if "projected" in volume else [volume]
        found = (self._from(pod, mount, source, inside, now) for source in sources)
        return next((text for text in found if text is not None), None)

    def _from(self, pod: JsonObject, mount: JsonObject, source: JsonObject, path: str, now: datetime) -> str | None:
        namespace = namespace_of(pod)
        if token := source.get("serviceAccountToken"):
            held = self._held.get((uid_of(pod), mount["name"], path)) if path == token["path"] else None
            if held is None:
                return None
            # A file mounted by subPath is the one of the container's start, for ever.
            return held.first if "subPath" in mount else self._refreshed(pod, token, held, now)
        for kind, resource in (("secret", r.SECRETS), ("configMap", r.CONFIG_MAPS)):
            if kind in source:
                named = source[kind]
                found = self.store.get(resource, namespace, named.get("secretName") or named.get("name", ""))
                return None if found is None else _key(found, named, path)
        return namespace if path == "namespace" and "downwardAPI" in source else None

    def _refreshed(self, pod: JsonObject, source: JsonObject, held: Held, now: datetime) -> str:
        """A refresh that fails leaves the old token there."""
        period = min(timedelta(seconds=source["expirationSeconds"]) * _REFRESHED_AT, _LONGEST_HELD)
        refresh = (now - held.since) // period
        if refresh == held.refresh:
            return held.latest
        at, account = held.since + refresh * period, self._account(pod)
        if account is not None and moment_of(meta(account)["creationTimestamp"]) <= at:
            held.latest, held.refresh = self._mint(pod, account, source, at), refresh
        return held.latest

    def _account(self, pod: JsonObject) -> JsonObject | None:
        found = self.store.get(r.SERVICE_ACCOUNTS, namespace_of(pod), pod["spec"].get("serviceAccountName", "default"))
        return None if found is None or is_leaving(found) else found

    def _mint(self, pod: JsonObject, account: JsonObject, source: JsonObject, at: datetime) -> str:
        spec = TokenSpec([source.get("audience") or ISSUER], source["expirationSeconds"], at)
        return self.minter.bound(account, spec, pod, self.store.get(r.NODES, "", pod["spec"].get("nodeName", "")))


def _token_sources(pod: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for volume in pod["spec"].get("volumes", []):
        for source in (volume.get("projected") or {}).get("sources") or []:
            if "serviceAccountToken" in source:
                yield volume["name"], source["serviceAccountToken"]


def _key(found: JsonObject, named: JsonObject, path: str) -> str | None:
    key = path
    if items := named.get("items"):
        key = next((each["key"] for each in items if each["path"] == path), "")
    if found["kind"] == "Secret":
        return plain(found, key)
    text: str | None = (found.get("data") or {}).get(key)
    return text


def _below(path: str, mount_path: str) -> str | None:
    """The path below the mount; "" for the mount itself, None outside of it."""
    mount_path = posixpath.normpath(mount_path)
    if path == mount_path:
        return ""
    prefix = mount_path.rstrip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None
