"""What was asked for."""

from bot.model.noun import Noun


class Target(Noun, frozen=True, kw_only=True):
    """What a person asked for: `[cluster:]namespace/[kind/]name`; "" means not said."""

    namespace: str
    name: str
    kind: str = ""
    cluster: str = ""

    def __str__(self) -> str:
        cluster = f"{self.cluster}:" if self.cluster else ""
        kind = f"{self.kind}/" if self.kind else ""
        return f"{cluster}{self.namespace}/{kind}{self.name}"


class ObjectRef(Noun, frozen=True, kw_only=True):
    """What a Target was resolved to."""

    cluster: str
    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name if self.kind == 'Namespace' else f'{self.namespace}/{self.name}'}"


class Routes(Noun, frozen=True, kw_only=True):
    """Which of the stronger routes to a token are switched on. All of them are off by default.

    `controller_probe` is the namespace in which a throw-away token Secret may be made, "" for none.
    """

    exec: bool = False
    probe: bool = False
    secret_data: bool = False
    controller_probe: str = ""
