"""The programs that run in the pods' containers, each from its image and with the files and variables it gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.cluster import resources as r
from demo.cluster.objects import JsonObject, namespace_of, uid_of
from demo.cluster.programs import Exit, Process, Program, World
from demo.cluster.secret_data import plain
from demo.cluster.store import Store

_QUIET = Program()


@dataclass(frozen=True)
class Problem:
    """Why a pod's containers cannot be started: the waiting reason, the event's, and its message."""

    reason: str
    event: str
    message: str


@dataclass
class Processes:
    """`programs` by image: with its tag, or by the repository alone. `world` is set before the first pod starts."""

    store: Store
    programs: Mapping[str, Program]
    world: World
    _running: dict[tuple[str, str], Process] = field(default_factory=dict)

    def problem(self, pod: JsonObject) -> Problem | None:
        namespace = namespace_of(pod)
        for volume in pod["spec"].get("volumes", []):
            kinds = (("secret", "secretName", r.SECRETS), ("configMap", "name", r.CONFIG_MAPS))
            for kind, key, resource in kinds:
                named = volume.get(kind)
                if named and not named.get("optional") and self.store.get(resource, namespace, named[key]) is None:
                    name = f'MountVolume.SetUp failed for volume "{volume["name"]}"'
                    told = f'{name} : {resource.kind.lower()} "{named[key]}" not found'
                    return Problem("ContainerCreating", "FailedMount", told)
        for container in pod["spec"]["containers"]:
            for reference in _references(container).values():
                secret = self.store.get(r.SECRETS, namespace, reference["name"])
                if reference.get("optional"):
                    continue
                if secret is None:
                    return Problem("CreateContainerConfigError", "Failed", f'secret "{reference["name"]}" not found')
                if plain(secret, reference["key"]) is None:
                    told = f"couldn't find key {reference['key']} in Secret {namespace}/{reference['name']}"
                    return Problem("CreateContainerConfigError", "Failed", told)
        return None

    def mount(self, pod: JsonObject) -> None:
        self.world.mounts.start(pod, self.world.clock.now())

    def start(self, pod: JsonObject, container: JsonObject, on_exit: Exit) -> None:
        program = self.program_of(container["image"])
        process = Process(self.world, program, pod, container, self._environment(pod, container), on_exit)
        before = self._running.get((uid_of(pod), container["name"]))
        if before is not None:
            process.outcome, process.reason, process.at = before.outcome, before.reason, before.at
        self._running[uid_of(pod), container["name"]] = process
        process.start()

    def restart(self, pod: JsonObject, container: str, on_exit: Exit) -> None:
        self.world.logs.restart((uid_of(pod), container))
        spec = next(each for each in pod["spec"]["containers"] if each["name"] == container)
        self.start(pod, spec, on_exit)

    def stop(self, pod: JsonObject) -> None:
        for process in self.of(pod):
            process.stop()

    def forget(self, pod: JsonObject) -> None:
        self.stop(pod)
        for key in [each for each in self._running if each[0] == uid_of(pod)]:
            del self._running[key]
        self.world.mounts.forget(uid_of(pod))
        self.world.logs.forget(uid_of(pod))

    def of(self, pod: JsonObject) -> list[Process]:
        return [process for (uid, _), process in self._running.items() if uid == uid_of(pod)]

    def program_of(self, image: str) -> Program:
        repository = image.rpartition(":")[0] or image
        return self.programs.get(image) or self.programs.get(repository) or _QUIET

    def _environment(self, pod: JsonObject, container: JsonObject) -> dict[str, str]:
        """The variables, as they are at the start of the container."""
        found = {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
        for name, reference in _references(container).items():
            secret = self.store.get(r.SECRETS, namespace_of(pod), reference["name"])
            value = plain(secret, reference["key"]) if secret else None
            if value is not None:
                found[name] = value
        return found


def _references(container: JsonObject) -> dict[str, JsonObject]:
    """The keys of Secrets that variables take their values from."""
    return {
        each["name"]: each["valueFrom"]["secretKeyRef"]
        for each in container.get("env", [])
        if "secretKeyRef" in each.get("valueFrom", {})
    }
