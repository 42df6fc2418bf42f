"""Logging: JSON lines on standard error, or words on a terminal, and never a token in either."""

import logging
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.visible import visible

_LIBRARIES = ("aiohttp", "kubernetes", "slack_bolt", "slack_sdk")


def configure(level: str, *, json: bool, stream: TextIO | None = None) -> None:
    """Sends structlog and the standard library's loggers to one stream (standard error), redacted alike.

    `level` is a name such as "info". Libraries never log below INFO: at DEBUG they write whole bodies, and a
    Secret's data does not look like a token. Raises ValueError for a level that is none.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"There is no log level “{level}”.")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(_formatter(shared, json=json))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(max(number, logging.INFO))
    logging.captureWarnings(capture=True)


def _formatter(shared: list[Processor], *, json: bool) -> logging.Formatter:
    """The exception is made text first, so that the redaction sees it; frames' locals are never written."""
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not json:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redacted,
            renderer,
        ],
    )


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {visible(str(key)): _safe(value) for key, value in event.items()}


def _safe(value: object) -> object:
    """Plain data with every text redacted; anything else becomes its redacted text."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return visible(value)
        case bytes():
            return f"{len(value)} bytes"
        case Mapping():
            return {visible(str(key)): _safe(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(inner) for inner in value]
        case _:
            return visible(str(value))
