"""What may be done to objects: created, changed and deleted, with preconditions and dry runs."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from demo.cluster import admission, defaults, failures, managed_fields, validation
from demo.cluster import resources as r
from demo.cluster.admission import Denial
from demo.cluster.clock import Clock
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, clone, is_leaving, key_of, meta, name_of, random_suffix, stamp
from demo.cluster.resources import Resource
from demo.cluster.store import Store

Change = Callable[[JsonObject], JsonObject]
Denials = list[Denial]

_FIXED_META = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_GENERATED = {r.DEPLOYMENTS, r.REPLICA_SETS, r.STATEFUL_SETS, r.DAEMON_SETS, r.JOBS, r.CRON_JOBS, r.PODS, r.BUDGETS}
_GIVES_BACK = {r.PODS, r.SERVICE_ACCOUNTS, r.SERVICES, r.NAMESPACES, r.ROLES}


@dataclass(frozen=True)
class How:
    """Who writes, and whether only as a rehearsal."""

    writer: Writer = field(default_factory=lambda: Writer("kube-controller-manager"))
    dry_run: bool = False


@dataclass(frozen=True)
class Deletion:
    """The options of a delete. `grace` is in seconds; None leaves it to the object."""

    grace: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    orphans: bool = False


CONTROLLER = How()


class Registry:
    """Every call raises StatusError where the API server would."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.denials: Denials = []
        self.orphaned: set[str] = set()

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise failures.not_found(resource, name)
        return found

    def create(self, resource: Resource, namespace: str, manifest: JsonObject, how: How = CONTROLLER) -> JsonObject:
        found = self._prepared(resource, namespace, manifest)
        admission.admit(self.store, resource, namespace, found)
        admission.refuse(self.denials, resource, namespace, name_of(found), how.writer.name)
        if name_of(found) == meta(found).get("generateName"):
            # Not before: who is refused is told of the name's beginning only.
            meta(found)["name"] += random_suffix()
        defaults.complete(resource, found)
        validation.check_new(resource, found)
        if self.store.get(resource, *key_of(found)) is not None:
            raise failures.already_exists(resource, name_of(found))
        return self._store(resource, None, found, how)

    def _prepared(self, resource: Resource, namespace: str, manifest: JsonObject) -> JsonObject:
        """A copy with the fields that only the API server writes."""
        given = clone(manifest)
        said: JsonObject = given.get("metadata") or {}
        if said.get("namespace", namespace) != namespace:
            raise failures.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if not said.get("name"):
            if not said.get("generateName"):
                cause = failures.required("metadata.name", "name or generateName is required")
                raise failures.invalid(resource.kind, resource.group, "", [cause])
            said["name"] = said["generateName"]
        said = {name: value for name, value in said.items() if name not in {*_FIXED_META, "resourceVersion"}}
        said.pop("managedFields", None)
        said |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self.clock.now())}
        if resource.namespaced:
            said["namespace"] = namespace
        if resource in _GENERATED:
            said["generation"] = 1
        if resource.has_status:
            given.pop("status", None)
        if resource is r.PODS or "spec" in given or resource in _GENERATED:
            given.setdefault("spec", {})
        if resource is r.PODS:
            given["status"] = {"phase": "Pending"}
        return {**given, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": said}

    def change(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Change,
        how: How = CONTROLLER,
        *,
        patch: bool = True,
    ) -> JsonObject:
        """By a patch, or (`patch` False) by an object that replaces the present one."""
        before = self.get(resource, namespace, name)
        wanted = change(clone(before))
        self._check_versions(resource, before, wanted, patch=patch)
        found = self._kept(resource, before, wanted, how)
        admission.refuse(self.denials, resource, namespace, name, how.writer.name)
        defaults.complete(resource, found)
        validation.check_change(resource, before, found)
        if resource in _GENERATED and found.get("spec") != before.get("spec"):
            meta(found)["generation"] = meta(before).get("generation", 1) + 1
        return self._store(resource, before, found, how)

    def change_status(
        self, resource: Resource, namespace: str, name: str, status: JsonObject, how: How = CONTROLLER
    ) -> JsonObject:
        """Replaces the status, unless it is the same already."""
        if self.get(resource, namespace, name).get("status") == status:
            return self.get(resource, namespace, name)
        how = replace(how, writer=replace(how.writer, subresource="status"))
        return self.change(resource, namespace, name, lambda found: {**found, "status": status}, how)

    def _check_versions(self, resource: Resource, before: JsonObject, wanted: JsonObject, *, patch: bool) -> None:
        name, said, own = name_of(before), meta(wanted), meta(before)
        if said.get("name", name) != name:
            raise failures.bad_request(
                f"the name of the object ({said['name']}) does not match the name on the URL ({name})"
            )
        uid, version = said.get("uid") or own["uid"], said.get("resourceVersion") or own["resourceVersion"]
        if uid != own["uid"] and patch:
            raise validation.other_uid(resource, name, uid)
        if uid != own["uid"]:
            key = "/".join(["/registry", resource.plural, *filter(None, key_of(before))])
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {own['uid']}"
            told = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
            raise failures.conflict(resource, name, told)
        if version != own["resourceVersion"]:
            raise failures.modified(resource, name)

    def _kept(self, resource: Resource, before: JsonObject, wanted: JsonObject, how: How) -> JsonObject:
        """The wanted object with what this way of writing may not change put back."""
        own = meta(before)
        said = {name: value for name, value in meta(wanted).items() if name not in {*_FIXED_META, "managedFields"}}
        kept = {name: own[name] for name in (*_FIXED_META, "managedFields", "namespace", "name") if name in own}
        found = {**wanted, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": {**said, **kept}}
        if how.writer.subresource == "status":
            return {**clone(before), "status": found.get("status") or {}}
        if resource.has_status:
            found.pop("status", None)
            if "status" in before:
                found["status"] = before["status"]
        return found

    def _store(self, resource: Resource, before: JsonObject | None, found: JsonObject, how: How) -> JsonObject:
        if before is not None and _same(before, found):
            return before
        entries = managed_fields.written(before, found, how.writer, self.clock.now())
        meta(found).pop("managedFields", None)
        if entries:
            meta(found)["managedFields"] = entries
        if how.dry_run:
            return found
        if is_leaving(found) and not meta(found).get("finalizers") and self._is_over(resource, found):
            stored = self.store.write(resource, found)
            self.store.remove(resource, key_of(found))
            return stored
        return self.store.write(resource, found)

    def _is_over(self, resource: Resource, found: JsonObject) -> bool:
        """Whether nothing holds an object that is leaving: a pod is held by its kubelet, a namespace by its content."""
        if resource is r.PODS:
            return meta(found).get("deletionGracePeriodSeconds") == 0
        return resource is not r.NAMESPACES or not found["spec"].get("finalizers")

    def delete(
        self, resource: Resource, namespace: str, name: str, deletion: Deletion | None = None, how: How = CONTROLLER
    ) -> JsonObject:
        """The object as it last was, or as it waits for its end."""
        deletion = deletion or Deletion()
        before = self.get(resource, namespace, name)
        self._check_deletion(resource, before, deletion)
        grace = self._grace(resource, before, deletion)
        found = clone(before)
        own = meta(found)
        if not is_leaving(found) or grace < own.get("deletionGracePeriodSeconds", 0):
            leaves = self.clock.now() + timedelta(seconds=grace)
            own |= {"deletionTimestamp": stamp(leaves), "deletionGracePeriodSeconds": grace}
            if "generation" in own:
                own["generation"] += 1
        if resource is r.NAMESPACES:
            found["status"] = {**found.get("status", {}), "phase": "Terminating"}
        if deletion.orphans:
            self.orphaned.add(own["uid"])
        if own.get("finalizers") or not self._is_over(resource, found):
            return found if how.dry_run or _same(before, found) else self.store.write(resource, found)
        if not how.dry_run:
            self.store.remove(resource, key_of(before))
        return before

    def gives_back(self, resource: Resource, found: JsonObject) -> bool:
        """Whether the answer to a deletion is the object, not a Status."""
        return resource in _GIVES_BACK or bool(meta(found).get("finalizers"))

    def _check_deletion(self, resource: Resource, before: JsonObject, deletion: Deletion) -> None:
        own = meta(before)
        if deletion.uid is not None and deletion.uid != own["uid"]:
            why = (
                f"the UID in the precondition ({deletion.uid}) does not match the UID in record ({own['uid']}). The "
                "object might have been deleted and then recreated"
            )
            raise failures.named_conflict(resource.kind, resource.group, name_of(before), why)
        version = own["resourceVersion"]
        if deletion.resource_version is not None and deletion.resource_version != version:
            why = (
                f"the ResourceVersion in the precondition ({deletion.resource_version}) does not match the "
                f"ResourceVersion in record ({version}). The object might have been modified"
            )
            raise failures.named_conflict(resource.kind, resource.group, name_of(before), why)

    def _grace(self, resource: Resource, before: JsonObject, deletion: Deletion) -> int:
        if resource is not r.PODS or not before["spec"].get("nodeName"):
            return 0
        if before.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            return 0
        own: int = before["spec"].get("terminationGracePeriodSeconds", 30)
        return own if deletion.grace is None else deletion.grace


def _same(before: JsonObject, found: JsonObject) -> bool:
    def plain(each: JsonObject) -> JsonObject:
        return {**each, "metadata": {**meta(each), "managedFields": None, "resourceVersion": None}}

    return plain(before) == plain(found)
