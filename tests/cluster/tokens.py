"""Service account tokens of every kind: minted by the API server, or signed by the test with the cluster's own key."""

import base64
import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.commands import ISSUER
from tests.cluster.layout import SigningKey


@dataclass(frozen=True)
class Tokens:
    """`key` is what this control plane signs with, `foreign_key` another cluster's with the same issuer."""

    api: Api
    key: SigningKey
    foreign_key: SigningKey

    def at(self, api: Api) -> "Tokens":
        """The same keys, another API server."""
        return replace(self, api=api)

    def sign(
        self, claims: JsonObject, *, key: SigningKey | None = None, kid: str | None = None, algorithm: str = "RS256"
    ) -> str:
        """Any claims at all; the `kid` is the key's own unless told otherwise.

        The header is the API server's, to the byte: of the same claims, sorted, this makes the same token.
        """
        signer = key or self.key
        headers = {"kid": kid or key_id(signer), "typ": None}
        pem = signer.private.read_text()
        return jwt.encode(claims, pem, algorithm=algorithm, headers=headers, sort_headers=True)

    async def bound_claims(
        self, namespace: str, service_account: str, *, pod: JsonObject | None = None, audience: str = ISSUER
    ) -> JsonObject:
        """What the API server would put into an hour's token now: change a claim, then sign."""
        account = await self.api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}")
        bound: JsonObject = {
            "namespace": namespace,
            "serviceaccount": {"name": service_account, "uid": account["metadata"]["uid"]},
        }
        if pod is not None:
            node = await self.api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
            bound["pod"] = _reference(pod)
            bound["node"] = _reference(node)
        now = int(dt.datetime.now(dt.UTC).timestamp())
        return {
            "aud": [audience],
            "exp": now + 3600,
            "iat": now,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": bound,
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{service_account}",
        }

    async def mint(
        self,
        namespace: str,
        service_account: str,
        *,
        audiences: Sequence[str] = (),
        expiration_seconds: int = 3600,
        bound_to: JsonObject | None = None,
    ) -> str:
        """By TokenRequest, bound to a live Pod, Secret or Node if given."""
        spec: JsonObject = {"audiences": list(audiences), "expirationSeconds": expiration_seconds}
        if bound_to is not None:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": bound_to["kind"], **_reference(bound_to)}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        return str((await self.api.post(path, request))["status"]["token"])

    async def authenticate(self, token: str, *, path: str = "/api", user_agent: str = "checkout/1.4") -> int:
        """The status that a client with this token gets; a 401 leaves its line in the API server's log."""
        client = replace(self.api.as_bearer(token), extra_headers={"User-Agent": user_agent})
        try:
            await client.get(path)
        except ApiError as error:
            return error.status
        return HTTPStatus.OK

    async def review(self, token: str, audiences: Sequence[str] = ()) -> JsonObject:
        """The status of a TokenReview."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": list(audiences)},
        }
        answer = await self.api.post("/apis/authentication.k8s.io/v1/tokenreviews", request)
        status: JsonObject = answer["status"]
        return status


def legacy_claims(secret: JsonObject) -> JsonObject:
    """The claims of a token Secret's token."""
    metadata = secret["metadata"]
    annotations = metadata["annotations"]
    name = annotations["kubernetes.io/service-account.name"]
    prefix = "kubernetes.io/serviceaccount"
    return {
        "iss": "kubernetes/serviceaccount",
        f"{prefix}/namespace": metadata["namespace"],
        f"{prefix}/secret.name": metadata["name"],
        f"{prefix}/service-account.name": name,
        f"{prefix}/service-account.uid": annotations["kubernetes.io/service-account.uid"],
        "sub": f"system:serviceaccount:{metadata['namespace']}:{name}",
    }


def key_id(key: SigningKey) -> str:
    """As pkg/serviceaccount/jwt.go: SHA-256 over the public key's PKIX DER, base64url."""
    public = load_pem_public_key(key.public.read_bytes())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _reference(found: JsonObject) -> JsonObject:
    return {"name": found["metadata"]["name"], "uid": found["metadata"]["uid"]}
