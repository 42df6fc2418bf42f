"""Fills token Secrets, and deletes them with their account (pkg/controller/serviceaccount/tokens_controller.go)."""

import json

from demo.cluster import resources as r
from demo.cluster.component_log import ComponentLog
from demo.cluster.controllers.context import MANAGER, Context
from demo.cluster.controllers.queue import Queue
from demo.cluster.failures import StatusError
from demo.cluster.issuing import Minter
from demo.cluster.objects import JsonObject, Key, annotations_of, is_leaving, key_of, meta, namespace_of, uid_of
from demo.cluster.registry import Deletion
from demo.cluster.secret_data import encoded
from demo.cluster.store import Change
from demo.cluster.validation import ACCOUNT_NAME, ACCOUNT_UID, TOKEN_SECRET

_TRIES = 10


class TokenSecrets:
    """`runs` False: nobody fills anything. `minter` signs with the controller manager's key."""

    def __init__(self, context: Context, minter: Minter, authority: str, log: ComponentLog) -> None:
        self.runs = True
        self.minter = minter
        self._context = context
        self._authority = authority
        self._log = log
        self._queue = Queue(context.agenda, self._reconcile)
        self._tries: dict[Key, int] = {}

    def react(self, change: Change) -> None:
        if change.resource is r.SECRETS and change.found.get("type") == TOKEN_SECRET and change.kind != "DELETED":
            self._queue.add(key_of(change.found))
        if change.resource is r.SERVICE_ACCOUNTS:
            self.look_at_all(namespace_of(change.found))

    def look_at_all(self, namespace: str = "") -> None:
        """Every token Secret there, as after a restart of the controller manager."""
        for secret in self._context.registry.store.items(r.SECRETS, namespace):
            if secret.get("type") == TOKEN_SECRET:
                self._tries.pop(key_of(secret), None)
                self._queue.add(key_of(secret))

    def _reconcile(self, key: Key) -> None:
        secret = self._context.registry.store.get(r.SECRETS, *key)
        if not self.runs or secret is None or is_leaving(secret):
            return
        said = annotations_of(secret)
        account = self._context.registry.store.get(r.SERVICE_ACCOUNTS, key[0], said.get(ACCOUNT_NAME, ""))
        if account is None or said.get(ACCOUNT_UID, uid_of(account)) != uid_of(account):
            self._context.registry.delete(r.SECRETS, *key, Deletion(uid=uid_of(secret)), MANAGER)
            return
        try:
            self._context.registry.change(r.SECRETS, *key, lambda found: self._filled(found, account), MANAGER)
        except StatusError as error:
            self._again(key, said[ACCOUNT_NAME], error)

    def _filled(self, secret: JsonObject, account: JsonObject) -> JsonObject:
        """Each key only where it is missing, but for the certificate."""
        own = {ACCOUNT_UID: uid_of(account)}
        secret["metadata"] = {**meta(secret), "annotations": {**annotations_of(secret), **own}}
        data = dict(secret.get("data") or {})
        data["ca.crt"] = encoded(self._authority)
        if not data.get("namespace"):
            data["namespace"] = encoded(namespace_of(secret))
        if not data.get("token"):
            data["token"] = encoded(self.minter.legacy(secret))
        return {**secret, "data": data}

    def _again(self, key: Key, account: str, error: StatusError) -> None:
        """Ten tries, and it is dropped until something about it changes."""
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        names = f'secret="{key[0]}/{key[1]}" serviceAccount="{key[0]}/{account}"'
        text = f'"Populating serviceaccount token" err={json.dumps(error.message)} {names}'
        self._log.say("E", "tokens_controller.go:327", text)
        if tries < _TRIES:
            self._queue.add_later(key, 0.1 * 2**tries)
