"""Keys that sign service account tokens, and the JSON web signatures made with them."""

import base64
import binascii
import hashlib
import json
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from demo.cluster.objects import JsonObject


class SigningKey:
    """RS256, with the `kid` as `pkg/serviceaccount/jwt.go` makes it."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = _encoded(hashlib.sha256(der).digest())
        self._is_signed = lru_cache(maxsize=4096)(self._verified)

    def sign(self, claims: JsonObject) -> str:
        """The claims are sorted, as Go writes them: of the same claims it makes the same token."""
        head = _encoded(_json({"alg": "RS256", "kid": self.id}))
        text = f"{head}.{_encoded(_json(claims))}"
        return f"{text}.{_encoded(self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    @property
    def pem(self) -> tuple[bytes, bytes]:
        """The private and the public key, for whoever wants to sign tokens of their own."""
        private = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private, self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def has_signed(self, token: str) -> bool:
        return self._is_signed(token)

    def _verified(self, token: str) -> bool:
        text, _, signature = token.rpartition(".")
        try:
            self._private.public_key().verify(decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def jwk(self) -> JsonObject:
        numbers = self._private.public_key().public_numbers()
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.id,
            "alg": "RS256",
            "n": _encoded(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
            "e": _encoded(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
        }


def decoded(part: str) -> bytes:
    """Base64url without padding. Raises ValueError."""
    if "=" in part or "+" in part or "/" in part:
        raise ValueError("no base64url")
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def parsed(token: str) -> tuple[JsonObject, JsonObject] | None:
    """Header and claims; None for what is no JSON web token."""
    try:
        head, body, _signature = token.split(".")
        header, claims = json.loads(decoded(head)), json.loads(decoded(body))
    except ValueError:
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(value: JsonObject) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
