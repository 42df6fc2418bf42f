"""Which proxy the environment asks for, by the rules that kubectl follows."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def proxy_for(url: str, environ: Mapping[str, str]) -> str:
    """The proxy's URL, "" for none. NO_PROXY knows hosts, domains, addresses and ranges; loopback never has one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"{parts.scheme}_proxy"
    proxy = environ.get(name.upper()) or environ.get(name) or ""
    if not proxy or _is_loopback(host):
        return ""
    exempt = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if any(_matches(host, entry.strip()) for entry in exempt.split(",")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _matches(host: str, entry: str) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        domain = entry.removeprefix("*").lstrip(".")
        exact = not entry.startswith((".", "*"))
        return bool(domain) and (host.endswith(f".{domain}") or (exact and host == domain))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
