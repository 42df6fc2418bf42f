"""Token Secrets: filled, the same for ever, refused each for its reason, and gone with their account."""

import base64
import re

from tests.cluster.tokens import legacy_claims
from tests.cluster.waiting import eventually
from tests.contract.cluster.side import ACCOUNT_NAME, TOKEN_SECRET, Side


async def test_a_token_secret_is_filled_and_its_token_is_the_same_for_ever(side: Side) -> None:
    filled = await side.token_secret("manual")
    token = base64.b64decode(filled["data"]["token"]).decode()
    assert set(filled["data"]) == {"token", "namespace", "ca.crt"}
    assert base64.b64decode(filled["data"]["namespace"]).decode() == side.namespace
    account = await side.api.get(f"{side.root}/serviceaccounts/default")
    assert filled["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    assert side.tokens.sign(legacy_claims(filled)) == token
    assert (await side.tokens.review(token))["user"] == {
        "username": f"system:serviceaccount:{side.namespace}:default",
        "uid": account["metadata"]["uid"],
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{side.namespace}", "system:authenticated"],
    }
    used = await side.api.get(f"{side.root}/secrets/manual")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", used["metadata"]["labels"]["kubernetes.io/legacy-token-last-used"])
    await side.api.delete(f"{side.root}/secrets/manual")
    again = await side.token_secret("manual")
    assert again["data"]["token"] == filled["data"]["token"]


async def test_a_legacy_token_is_refused_for_its_reason(side: Side) -> None:
    await side.account("robot")
    filled = await side.token_secret("old", "robot")
    token = base64.b64decode(filled["data"]["token"]).decode()
    path = f"{side.root}/secrets/old"
    place = f"{side.namespace}/old for service account {side.namespace}/robot"
    label = "kubernetes.io/legacy-token-invalid-since"

    async def why(signed: str) -> str:
        return str((await side.tokens.review(signed)).get("error", ""))

    await side.api.patch(path, {"metadata": {"labels": {label: "2026-01-01"}}})
    # The real one hears of the label a moment later, and keeps a success for ten seconds.
    assert await eventually(lambda: why(token), bool, "it is refused") == (
        f"[invalid bearer token, the token in secret {place} has been marked invalid. Use tokens from the TokenRequest "
        f"API or manually created secret-based tokens, or remove the '{label}' label from the secret to temporarily "
        "allow use of this token]"
    )
    await side.api.patch(path, {"stringData": {"token": "another"}})
    assert await why(token) == "[invalid bearer token, Token does not match server's copy]"
    claims = legacy_claims(filled)
    nameless = {name: value for name, value in claims.items() if not name.endswith("secret.name")}
    assert await why(side.tokens.sign(nameless)) == "[invalid bearer token, secretName claim is missing]"
    assert await why(side.tokens.sign({**claims, "sub": "x"})) == "[invalid bearer token, sub claim is invalid]"
    await side.api.delete(path)
    assert await why(token) == "[invalid bearer token, Token has been invalidated]"


async def test_a_token_secret_goes_with_its_account(side: Side) -> None:
    await side.account("robot")
    filled = {"apiVersion": "v1", "kind": "Secret", **await side.token_secret("old", "robot")}
    await side.api.delete(f"{side.root}/serviceaccounts/robot")
    await side.gone(filled)


async def test_a_token_secret_of_no_account_is_deleted(side: Side) -> None:
    body = {"metadata": {"name": "orphan", "annotations": {ACCOUNT_NAME: "nobody"}}, "type": TOKEN_SECRET}
    made = await side.api.post(f"{side.root}/secrets", body)
    await side.gone({"apiVersion": "v1", "kind": "Secret", **made})


async def test_a_token_that_was_taken_out_is_put_in_again(side: Side) -> None:
    filled = await side.token_secret("manual")
    path = f"{side.root}/secrets/manual"
    await side.api.patch(path, {"data": {"token": None}})
    again = await eventually(
        lambda: side.api.get(path), lambda found: "token" in found["data"], "the token is there again"
    )
    assert again["data"]["token"] == filled["data"]["token"]
