"""What `kubectl apply -k` makes of deploy/overlays, and where each of its parts is."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.api import JsonObject
from tests.cluster.installed import DEPLOY, HOME, kubectl
from tests.cluster.plane import Plane

COMPONENT = "components: [../../components/http]"


@dataclass(frozen=True)
class Overlay:
    """`text` is what kubectl builds, `head` the comment that says how to apply it."""

    name: str
    http: bool
    text: str
    head: str

    @property
    def documents(self) -> list[JsonObject]:
        return list(yaml.safe_load_all(self.text))

    def all(self, kind: str) -> list[JsonObject]:
        return [each for each in self.documents if each["kind"] == kind]

    def one(self, kind: str) -> JsonObject:
        (found,) = self.all(kind)
        return found

    @property
    def deployment(self) -> JsonObject:
        return self.one("Deployment")

    @property
    def pod(self) -> JsonObject:
        """The template: metadata and spec."""
        template: JsonObject = self.deployment["spec"]["template"]
        return template

    @property
    def containers(self) -> list[JsonObject]:
        """In the order in which they run."""
        return [*self.pod["spec"]["initContainers"], *self.pod["spec"]["containers"]]

    @property
    def bot(self) -> JsonObject:
        (found,) = self.pod["spec"]["containers"]
        return dict(found)

    def moved_to(self, namespace: str) -> Iterator[JsonObject]:
        """The namespace and what stands in it, elsewhere; rights and the admission policy are nobody else's."""
        for document in self.documents:
            if document["kind"] == "Namespace":
                yield {**document, "metadata": {**document["metadata"], "name": namespace}}
            elif document["metadata"].get("namespace") == HOME and "rbac" not in document["apiVersion"]:
                yield {**document, "metadata": {**document["metadata"], "namespace": namespace}}


async def overlay(plane: Plane, folder: Path, name: str, *, http: bool) -> Overlay:
    """Built as it stands, or with the component for HTTP that its comment offers."""
    copy = folder / "deploy"
    shutil.copytree(DEPLOY, copy)
    file = copy / "overlays" / name / "kustomization.yaml"
    text = file.read_text("utf-8")
    assert f"\n# {COMPONENT}" in text
    if http:
        file.write_text(text.replace(f"# {COMPONENT}", COMPONENT), "utf-8")
    built = await kubectl(plane, "kustomize", str(file.parent))
    return Overlay(name, http, built, text.partition("apiVersion:")[0])


def mounted(found: Overlay, container: JsonObject, folder: Path) -> Mapping[str, str]:
    """The files that the container has from ConfigMaps, written below `folder`: path in the container → path here."""
    maps = {each["metadata"]["name"]: each["data"] for each in found.all("ConfigMap")}
    volumes = {each["name"]: each for each in found.pod["spec"]["volumes"]}
    files: dict[str, str] = {}
    for mount in container["volumeMounts"]:
        source = volumes[mount["name"]].get("configMap")
        for name, text in maps[source["name"]].items() if source else ():
            (folder / name).write_text(text, "utf-8")
            files[f"{mount['mountPath']}/{name}"] = str(folder / name)
    return files
