"""How a credential in a Secret is renewed: each project has a way of its own."""

from collections.abc import Mapping

from bot.model import Layout, Remedy

_BY_LAYOUT: Mapping[Layout, tuple[Remedy, ...]] = {
    Layout.ARGO_CD: (
        Remedy(text="Argo CD: `argocd cluster rotate-auth SERVER` while the present credential still works."),
        Remedy(text="Argo CD, once it does not: `argocd cluster add CONTEXT --upsert` with a kubeconfig that does."),
    ),
    Layout.CLUSTER_API: (
        Remedy(
            text="Cluster API: delete the Secret, and the control plane's controller writes a new kubeconfig. One that "
            "you wrote yourself nobody writes again: put a fresh one in its place."
        ),
        Remedy(text="It renews a certificate at half of its life: if it has not, look at that controller's log."),
    ),
    Layout.KAMAJI: (
        Remedy(text="Kamaji: delete the Secret, and its controller writes a new kubeconfig; if not, look at its log."),
    ),
    Layout.SVELTOS: (
        Remedy(
            text="Sveltos renews with the very token that is in the Secret: once that has expired it is stuck. Write a "
            "fresh kubeconfig into the Secret by hand."
        ),
        Remedy(text="Then renew in shorter steps than the token lives, and restart agents that keep the old one."),
    ),
    Layout.FLUX: (
        Remedy(text="Flux: write a fresh kubeconfig into the Secret; the next reconciliation reads it."),
        Remedy(text="Find what was to renew it: Flux itself renews no kubeconfig."),
    ),
    Layout.KUBECONFIG: (
        Remedy(text="Write a fresh kubeconfig into the Secret, and restart what reads it only at its start."),
    ),
    Layout.TOKEN_SECRET: (
        Remedy(text="Take data.token out of the Secret, and the token controller writes it anew."),
        Remedy(text="Deleting and creating it again under the same name gives the very same token."),
    ),
    Layout.TOKEN: (
        Remedy(text="Mint the token again and put it into the Secret, or let the workload use a projected token."),
    ),
}


def renewal(layout: Layout) -> tuple[Remedy, ...]:
    return _BY_LAYOUT[layout]
