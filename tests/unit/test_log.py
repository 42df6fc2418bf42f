"""Whatever is logged, by us or by a library, no token is in it."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from bot.log import configure
from bot.tokens import RawToken
from tests.unit.jwts import BOUND, token

TOKEN = token(BOUND)


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    libraries = {name: logging.getLogger(name).level for name in ("slack_sdk", "slack_bolt", "aiohttp", "kubernetes")}
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name, before in libraries.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def raised(error: Exception) -> Exception:
    """The error with a traceback and, behind it, a cause."""
    try:
        raise error from KeyError(TOKEN)
    except type(error) as caught:
        return caught


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_its_time_level_and_logger() -> None:
    stream = io.StringIO()
    configure("info", json=True, stream=stream)
    structlog.get_logger("bot.jobs").info("digest sent", cluster="prod", seconds=1.5)
    (line,) = lines(stream)
    assert line.pop("at").__class__ is str
    assert line == {"event": "digest sent", "level": "info", "logger": "bot.jobs", "cluster": "prod", "seconds": 1.5}


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "name", ["bot", "slack_bolt", "slack_sdk.socket_mode", "aiohttp.access", "kubernetes.client.rest"]
)
def test_no_token_is_logged(name: str, *, as_json: bool) -> None:
    stream = io.StringIO()
    configure("debug", json=as_json, stream=stream)
    logger = logging.getLogger(name)
    logger.info("sent Bearer %s", TOKEN)
    logger.info({"headers": {"authorization": f"Bearer {TOKEN}"}})
    logger.error("it failed", exc_info=raised(ValueError(f"refused {TOKEN}")))
    assert "it failed" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
    assert not any(part in stream.getvalue() for part in TOKEN.split("."))


@pytest.mark.parametrize("as_json", [True, False])
def test_no_token_is_logged_by_structlog(*, as_json: bool) -> None:
    stream = io.StringIO()
    configure("info", json=as_json, stream=stream)
    log = structlog.get_logger("bot").bind(bound=TOKEN)
    with structlog.contextvars.bound_contextvars(context=TOKEN):
        log.info(
            "event %s",
            TOKEN,
            text=TOKEN,
            nested={"list": [TOKEN, (TOKEN,)], TOKEN: 1},
            data=TOKEN.encode(),
            error=ValueError(TOKEN),
            raw=RawToken(TOKEN),
        )
    log.error("failed", exc_info=raised(RuntimeError(TOKEN)), stack_info=True)
    written = stream.getvalue()
    assert "RawToken(hidden)" in written
    assert "RuntimeError" in written
    assert not any(part in written for part in TOKEN.split("."))


def test_libraries_never_write_bodies() -> None:
    stream = io.StringIO()
    configure("debug", json=True, stream=stream)
    logging.getLogger("kubernetes.client.rest").debug("response body: secret")
    logging.getLogger("bot").debug("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]


def test_the_level_holds() -> None:
    stream = io.StringIO()
    configure("warning", json=True, stream=stream)
    structlog.get_logger("bot").info("quiet")
    logging.getLogger("asyncio").info("quiet")
    structlog.get_logger("bot").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no log level “loud”"):
        configure("loud", json=True)


def test_a_line_cannot_be_forged_on_a_terminal() -> None:
    stream = io.StringIO()
    configure("info", json=False, stream=stream)
    logging.getLogger("bot").info("name \x1b[2Jwiped")
    assert "\x1b[2J" not in stream.getvalue()


def test_warnings_and_the_event_loop_go_the_same_way() -> None:
    stream = io.StringIO()
    configure("info", json=True, stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old {TOKEN}", stacklevel=1)
    loop = asyncio.new_event_loop()
    loop.call_exception_handler({"message": f"never awaited {TOKEN}"})
    loop.close()
    assert [line["logger"] for line in lines(stream)] == ["py.warnings", "asyncio"]
    assert TOKEN[:30] not in stream.getvalue()
