"""Who may do what, as RBAC's bindings say."""

from bot.model.noun import Noun


class Subject(Noun, frozen=True, kw_only=True):
    """A User, a Group or a ServiceAccount (which alone has a namespace)."""

    kind: str
    name: str
    namespace: str = ""

    def reaches(self, name: str, namespace: str) -> bool:
        """Whether it is this service account, or a group that the account is in."""
        if self.kind == "ServiceAccount":
            return (self.name, self.namespace) == (name, namespace)
        if self.kind == "User":
            return self.name == f"system:serviceaccount:{namespace}:{name}"
        return self.name in {"system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"}

    def __str__(self) -> str:
        if self.kind == "ServiceAccount":
            return f"service account {self.namespace}/{self.name}"
        return f"{self.kind.lower()} {self.name}"


class PolicyRule(Noun, frozen=True, kw_only=True):
    """A rule of a role. "*" stands for all; `names` is () where it holds for objects of any name."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def mints_tokens_of(self, account: str) -> bool:
        """TokenRequest is a create on a subresource of just that account."""
        named = not self.names or account in self.names
        return named and self._allows({"create"}, {"serviceaccounts/token", "*/token"})

    @property
    def reads_secrets(self) -> bool:
        """Secrets of any name: a rule for named ones is the narrow kind."""
        return not self.names and self._allows({"get", "list", "watch"}, {"secrets"})

    def _allows(self, verbs: set[str], resources: set[str]) -> bool:
        """One of the verbs on one of these resources of the core group."""
        wanted = ((self.verbs, verbs | {"*"}), (self.groups, {"", "*"}), (self.resources, resources | {"*"}))
        return all(set(own) & some for own, some in wanted)

    @property
    def is_everything(self) -> bool:
        """Every verb on every resource, of all groups or of the core one."""
        return "*" in self.verbs and "*" in self.resources and bool({"*", ""} & set(self.groups)) and not self.names


class Grant(Noun, frozen=True, kw_only=True):
    """A binding with what its role allows. `namespace` is "" for a ClusterRoleBinding."""

    binding: str
    role: str
    namespace: str = ""
    subjects: tuple[Subject, ...] = ()
    rules: tuple[PolicyRule, ...] = ()

    def __str__(self) -> str:
        where = (
            f"RoleBinding {self.namespace}/{self.binding}" if self.namespace else f"ClusterRoleBinding {self.binding}"
        )
        return f"{where}, {self.role}"
