"""What the runbooks tell people to type is typed: amid the page's own fault on the real control plane."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from bot.diagnosis.causes import CAUSES
from bot.diagnosis.runbooks import placeholders_in
from bot.model import Severity
from tests.cluster.faults import Scene, by_name
from tests.cluster.matrix import MATRIX, Row, of_version
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.runbooks import TABLE, Expected, Told, filled, values, whole
from tests.cluster.second import second_api_server
from tests.cluster.terminal import Ended, Terminal, terminal
from tests.runbooks import MEND, PAGES, SEE, Command, commands_of, manifests_of

PATIENCE_SECONDS = 5
"""How long a command that only looks is tried again: events come in their own time."""
PAUSE_SECONDS = 0.5
OTHERS_TOO = re.compile(r"kubectl (?:cordon|uncordon|drain|taint) ")
"""What changes a node, which is there for other tests, too."""
LOOKS = re.compile(r"kubectl .*\b(?:get|describe|logs|auth)\b|token-doctor ")


@dataclass(frozen=True)
class Reader:
    """Somebody at a terminal, who knows what the page's placeholders are there."""

    at: Terminal
    names: Mapping[str, str]

    async def complains(self, command: Command, expected: Expected, *, patience: float = PATIENCE_SECONDS) -> str:
        """What is wrong with a command; empty where nothing is. Elsewhere it need only be one."""
        text = filled(command.text, self.names)
        if command.place:
            ended = await self.at.run(text, only_read=True)
            return f"$ {text}\n{ended.err}" if ended.code else ""
        if OTHERS_TOO.match(text):
            text += " --dry-run=server"
        wanted = replace(expected, shows=filled(expected.shows, self.names))
        until = time.monotonic() + patience
        while True:
            ended = await self.at.run(text)
            wrong = complaint(text, ended, wanted)
            if not wrong:
                return ""
            if time.monotonic() > until or not LOOKS.match(text):
                return f"$ {text}\n{wrong}:\n{ended.out}{ended.err}"
            await asyncio.sleep(PAUSE_SECONDS)

    async def cannot_apply(self, manifest: str) -> str:
        """Why the API server would not take it; empty where it would."""
        document = json.dumps(whole(yaml.safe_load(filled(manifest, self.names))))
        ended = await self.at.run(f"kubectl -n {self.names['NS']} apply --dry-run=server -f -", document)
        return f"{manifest}{ended.err}" if ended.code else ""


def complaint(text: str, ended: Ended, expected: Expected) -> str:
    """What is wrong with what a command has done."""
    if ended.code != expected.ends:
        return f"it ended with {ended.code}, not {expected.ends}"
    if not expected.silent and not ended.out.strip():
        return "it printed nothing"
    if expected.shows not in ended.out + ended.err:
        return f"it does not show “{expected.shows}”"
    empty = set(_columns_without_a_value(ended.out)) - set(expected.none) if "custom-columns" in text else set()
    return f"nothing but <none> in {sorted(empty)}" if empty else ""


def _columns_without_a_value(table: str) -> list[str]:
    """Of kubectl's table: the headings below which there is only <none>."""
    heading, *rows = table.splitlines() or [""]
    starts = [(found[0], found.start()) for found in re.finditer(r"[A-Z][A-Z-]*(?= |$)", heading)]
    return [name for name, at in starts if rows and all(row[at:].split(" ")[0] == "<none>" for row in rows)]


@asynccontextmanager
async def reader_amid(
    code: str, plane: Plane, namespace: str, private_plane: MakePlane, home: Path
) -> AsyncIterator[Reader]:
    """A reader of the page, amid its fault."""
    told, row = told_of(code), row_of(code)
    scene = Scene(plane, namespace)
    if row and row.private is not None:
        own = await private_plane(row.private)
        scene = Scene(own, await own.create_namespace())
    async with AsyncExitStack() as stack:
        wanted, other = set(placeholders_in(PAGES[code])), ""
        if "CONTEXT" in wanted:
            other = (await stack.enter_async_context(second_api_server(scene.plane))).url
        found = await by_name(told.inject or (row.inject if row else "plain"))(scene)
        names = {**await values(scene, found, wanted - set(told.fill)), **told.fill}
        reader = Reader(terminal(scene.plane, home, other), names)
        if told.made:
            made = await reader.at.run(f"kubectl -n {scene.namespace} apply -f -", filled(told.made, names))
            assert made.code == 0, made.err
        yield reader


def row_of(code: str) -> Row | None:
    """The row of the fault that the table names, else the first with the page's cause as its root."""
    inject = told_of(code).inject
    faults = of_version("present", MATRIX.faults)
    wanted = (row for row in [*faults, *MATRIX.healthy] if row.inject == inject)
    return next(wanted if inject else (row for row in faults if row.root == code), None)


def told_of(code: str) -> Told:
    return TABLE.get(code, Told())


def expected_of(code: str, command: Command) -> Expected:
    """The table's word, else success; a check finds what the page is about."""
    for each in told_of(code).commands:
        if each.of in command.text:
            return each
    if command.text.startswith("token-doctor check"):
        cause = CAUSES[code]
        return Expected("", shows=cause.title, ends=int(cause.severity is not Severity.INFO))
    return Expected("")


@pytest.mark.parametrize("code", sorted(PAGES))
async def test_a_page_can_be_followed(
    code: str, plane: Plane, namespace: str, private_plane: MakePlane, tmp_path: Path
) -> None:
    page = PAGES[code]
    typed = [each for section in (SEE, MEND) for each in commands_of(page) if each.section == section]
    async with reader_amid(code, plane, namespace, private_plane, tmp_path) as reader:
        wrong = [await reader.complains(command, expected_of(code, command)) for command in typed]
        wrong += [await reader.cannot_apply(manifest) for manifest in manifests_of(page)]
        wrong += [await reader.complains(Command(MEND, proof.of), proof) for proof in told_of(code).mended]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_the_table_is_in_order_and_names_no_page_twice() -> None:
    """YAML would quietly take the second."""
    named = re.findall(r"^([a-z-]+):", Path(__file__).with_name("runbooks.yaml").read_text("utf-8"), re.MULTILINE)
    assert named == sorted(set(named))


@pytest.mark.parametrize("code", sorted(TABLE))
def test_the_table_speaks_of_commands_that_are_there(code: str) -> None:
    texts = [command.text for command in commands_of(PAGES[code])]
    for expected in TABLE[code].commands:
        assert any(expected.of in text for text in texts), expected.of


@pytest.mark.parametrize(
    "text",
    [
        "kubectl -n NS get pod POD -o jsonpath='{.spec.serviceAcountName}'",
        "kubectl -n NS get pod POD -o custom-columns=NODE:.spec.nodeName,ACCOUNT:.spec.serviceAcount",
        "kubectl -n kube-system get pods -l component=apiserver",
        "kubectl -n NS get pods --field-selector spec.serviceAccount=ACCOUNT",
        "kubectl -n NS logs POD -c CONTAINER --last=10m",
        "kubectl -n NS renew token ACCOUNT",
        "kubectl -n NS create token ACCOUNT | token-doctor decipher",
    ],
)
async def test_what_is_wrong_is_noticed(text: str, plane: Plane, namespace: str, tmp_path: Path) -> None:
    scene = Scene(plane, namespace)
    reader = Reader(terminal(plane, tmp_path), await values(scene, await by_name("plain")(scene), ()))
    assert await reader.complains(Command(SEE, text), Expected(""), patience=0)
