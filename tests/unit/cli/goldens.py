"""The texts that the reports become. `python -m tests.unit.cli.goldens` writes them anew: then read the difference."""

import io
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bot.cli.claims_page import claims_page
from bot.cli.inventory_json import inventory_json
from bot.cli.inventory_page import inventory_page
from bot.cli.page import Page
from bot.cli.render import report_page
from bot.cli.review import reviews_page
from bot.cli.runbook_page import runbook_page
from bot.model import Inventory, Report, Review
from bot.tokens import RawToken, inspect
from tests.unit import jwts
from tests.unit.cli import inventories, reports

FOLDER = Path(__file__).with_name("goldens")

REVIEWS = (
    Review(endpoint="https://10.0.0.11:6443", authenticated=True, user="system:serviceaccount:shop:checkout"),
    Review(
        endpoint="https://10.0.0.12:6443",
        authenticated=False,
        error="[invalid bearer token, invalid signature, no keys found]",
    ),
)

RUNBOOK = """\
The token's `exp` is past, so the API server answers 401. **Do not restart first.** A mounted one is replaced before.

## See it by hand

```sh
kubectl -n NS get pod POD \\
  -o custom-columns=NODE:.spec.nodeName | grep -e a-long-expression -e another
```

On the node: `journalctl -u kubelet`. Look at `exp`.

## Mend it

1. The file is good: restart the workload, and it reads the present token. `kubectl -n NS rollout restart deployment/X`
2. It is stored elsewhere: replace it there.

```yaml
volumes:
  - name: api-token
```

## Keep it from coming back

- Use a client that reads the file again: Go ≥ 0.15.7, Python ≥ 12, Java ≥ 9, JavaScript ≥ 0.10.3.

See also: `token-cached-in-process`, `rotation-stalled`, `token-mounted-by-subpath`, `token-in-environment`
"""


def page(*, width: int, terminal: bool) -> tuple[Page, io.StringIO]:
    """A page and where it is written; without colour, so that a golden can be read."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=terminal, color_system=None, highlight=False, markup=False, emoji=False
    )
    return Page(console), stream


def report_text(report: Report, *, width: int = 100, terminal: bool = False) -> str:
    out, stream = page(width=width, terminal=terminal)
    report_page(out, report, program="token-doctor")
    return stream.getvalue()


def inventory_text(inventory: Inventory, *, width: int = 100, terminal: bool = False) -> str:
    out, stream = page(width=width, terminal=terminal)
    inventory_page(out, inventory, program="token-doctor")
    return stream.getvalue()


def claims_text(claims: dict[str, object], *, width: int = 100, terminal: bool = False) -> str:
    out, stream = page(width=width, terminal=terminal)
    claims_page(out, inspect(RawToken(jwts.token(claims))), reports.NOW)
    return stream.getvalue()


def reviews_text(reviews: tuple[Review, ...], *, width: int = 100, terminal: bool = False) -> str:
    out, stream = page(width=width, terminal=terminal)
    reviews_page(out, reviews, "token-doctor")
    return stream.getvalue()


def runbook_text(body: str, *, width: int) -> str:
    out, stream = page(width=width, terminal=True)
    runbook_page(out, body)
    return stream.getvalue()


def texts() -> Iterator[tuple[str, str]]:
    """Each golden's name and the text as it comes out now."""
    for name in ("critical", "warning", "healthy", "unknown", "workload", "namespace"):
        report: Report = getattr(reports, name.upper())
        yield f"report-{name}-piped", report_text(report)
        yield f"report-{name}-80", report_text(report, width=80, terminal=True)
    yield "report-critical-120", report_text(reports.CRITICAL, width=120, terminal=True)
    for name in ("full", "usual", "clean", "denied"):
        inventory: Inventory = getattr(inventories, name.upper())
        yield f"inventory-{name}-piped", inventory_text(inventory)
        yield f"inventory-{name}-80", inventory_text(inventory, width=80, terminal=True)
    yield "inventory-full-json", f"{inventory_json(inventories.FULL)}\n"
    yield "runbook-80", runbook_text(RUNBOOK, width=80)
    yield "runbook-40", runbook_text(RUNBOOK, width=40)
    yield "claims-bound-80", claims_text(jwts.BOUND, width=80, terminal=True)
    yield "claims-legacy-piped", claims_text(jwts.LEGACY)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts():
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
