"""`check`: the diagnosis in the terminal."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from bot.blocks.limits import Message
from bot.blocks.report import answer
from bot.cli.page import page
from bot.cli.render import report_page
from bot.cli.report_json import report_json
from bot.errors import TargetNotFoundError, WrongUsageError
from bot.examine import examine
from bot.kube.client import connect, utc_now
from bot.model import Report, Routes, Target, Verdict
from bot.targets import parse_target

_EXIT_CODE = {Verdict.HEALTHY: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 1, Verdict.UNKNOWN: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    target: str
    namespace: str
    kubeconfig: Path | None
    context: str | None
    routes: Routes


def run(wanted: Wanted, *, output: str, program: str) -> int:
    """Prints the report as "text", "json" or "slack"; returns the exit code of its verdict."""
    report = asyncio.run(_report(wanted))
    match output:
        case "json":
            sys.stdout.write(f"{report_json(report)}\n")
        case "slack":
            sys.stdout.write(f"{_slack_json(report)}\n")
        case _:
            report_page(page(), report, program=program)
    return _EXIT_CODE[report.verdict]


def _slack_json(report: Report) -> str:
    """The message's `text` and `blocks`, as Block Kit Builder takes them, and the `thread` under it."""
    told = answer(report, "")
    document = {**_shown(told.message), "thread": [_shown(message) for message in told.thread]}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _shown(message: Message) -> dict[str, object]:
    return {"text": message.text, "blocks": message.blocks}


async def _report(wanted: Wanted) -> Report:
    target, namespace_said = target_of(wanted.target, wanted.namespace)
    if wanted.context and target.cluster not in {"", wanted.context}:
        raise WrongUsageError(
            f"The target names cluster “{target.cluster}”, and --context names “{wanted.context}”.",
            next_step="In the terminal a target's cluster is a kubeconfig context: leave one of the two out.",
        )
    cluster = await connect("", kubeconfig=wanted.kubeconfig, context=wanted.context or target.cluster or None)
    try:
        if not namespace_said:
            target = replace(target, namespace=cluster.namespace)
        target = replace(target, cluster=cluster.name)
        return await examine(
            {cluster.name: cluster}, target, routes=wanted.routes, now=utc_now, monotonic=time.monotonic
        )
    except TargetNotFoundError as error:
        if namespace_said or error.nearest:
            raise
        step = f"No namespace was said, so {target.namespace} was meant: write NAMESPACE/{target.name}."
        raise TargetNotFoundError(str(error), next_step=step) from None
    finally:
        await cluster.close()


def target_of(text: str, namespace: str) -> tuple[Target, bool]:
    """The target, and whether its namespace was said: by --namespace, or in the text itself."""
    said = bool(namespace) or "/" in text.rpartition(":")[2]
    return parse_target(text, namespace=namespace or ("" if said else "default")), said
