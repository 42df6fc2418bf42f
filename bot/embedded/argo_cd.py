"""Argo CD's record of a cluster."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
from msgspec import Struct

from bot.embedded.found import Found, address, certificate, pem_of, token
from bot.model import Layout
from bot.redact import redact


class _Tls(Struct, frozen=True, kw_only=True, rename="camel"):
    """Without its keyData."""

    cert_data: str | None = None
    ca_data: str | None = None


class _ArgoCd(Struct, frozen=True, kw_only=True, rename="camel"):
    bearer_token: str | None = None
    tls_client_config: _Tls | None = None

    def __repr__(self) -> str:
        return "_ArgoCd(hidden)"


def cluster(place: str, text: bytes, server: str) -> Iterator[Found]:
    """The credentials of its `config`; `server` is the address beside it."""
    seen = Found(place=place, layout=Layout.ARGO_CD, server=address(server))
    try:
        config = msgspec.json.decode(text, type=_ArgoCd)
    except msgspec.ValidationError as error:
        yield replace(seen, problem=f"is not what Argo CD keeps there: {redact(str(error))}")
        return
    except msgspec.DecodeError:
        yield replace(seen, problem="is not JSON")
        return
    tls = config.tls_client_config or _Tls()
    seen = replace(seen, authority=pem_of(tls.ca_data or ""))
    if config.bearer_token:
        yield from token(seen, config.bearer_token)
    if tls.cert_data:
        yield certificate(seen, tls.cert_data)
