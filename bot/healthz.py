"""Whether the bot of this container answers: `python -m bot.healthz CONFIG`, for an engine's HEALTHCHECK.

Exit code 0 where /healthz answers, or where there is no `web.port` to ask; else 1, with the reason.
"""

import sys
from http.client import OK as ANSWERS
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from config.settings import WrongConfigurationError, load

_PATIENCE_SECONDS = 3.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what is listened on, and how it is asked here


def trouble(config: Path) -> str:
    """Why it does not, "" if it does. No proxy is asked, whatever the environment says."""
    try:
        web = load(config).web
    except WrongConfigurationError as wrong:
        return str(wrong)
    if web.port is None:
        return ""
    connection = HTTPConnection(_EVERY_ADDRESS.get(web.host, web.host), web.port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"no answer on port {web.port}: {error}"
    finally:
        connection.close()
    return "" if status == ANSWERS else f"/healthz answers {status}"


def main() -> int:
    (config,) = sys.argv[1:]
    why = trouble(Path(config))
    if why:
        sys.stderr.write(f"{why}\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
