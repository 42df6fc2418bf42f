"""The figures of a census, as a table."""

import statistics

from benchmarks import census
from benchmarks.census import MEGA, Alone, Figures, Pairs
from benchmarks.fill import Size
from benchmarks.results import Row, Table
from benchmarks.stored_secrets import HELM, HELM_BYTES, OF_A_TEAM, REGISTRY, TLS


def table(size: Size, figures: Figures, larger: Size, at_larger: Alone | None) -> Table:
    """`at_larger` was measured when the cluster had grown to `larger`; None where the machine could not hold it."""
    secrets = statistics.median(each.seconds for each in figures.secrets)
    both = secrets + statistics.median(each.seconds for each in figures.pods)
    rows = [
        *(
            Row(
                f"kubectl get {what} -A -o json",
                [each.seconds for each in listed],
                f"{max(each.memory for each in listed) / MEGA:,.0f} MB of memory",
            )
            for what, listed in (("secrets", figures.secrets), ("pods", figures.pods))
        ),
        *_pair_rows("metadata", figures.metadata, "kubectl's Secrets take", secrets, census.METADATA_FASTER),
        *_pair_rows("everything", figures.everything, "kubectl's two lists take", both, census.ALL_FASTER),
        *_alone_rows(figures.alone),
        _larger_row(figures.alone, at_larger),
    ]
    return Table("A census", rows, _notes(size, larger, figures))


def _pair_rows(what: str, pairs: Pairs, than: str, by_kubectl: float, goal: float) -> list[Row]:
    median = statistics.median(pairs.census)
    faster, slower = by_kubectl / median, median / statistics.median(pairs.bare)
    return [
        Row(
            f"a census of {what}",
            pairs.census,
            f"{than} {faster:.1f} times as long",
            f"≥ {goal:g} times",
            faster >= goal,
        ),
        Row(
            f"the pages of {what}, bare",
            pairs.bare,
            f"the census takes {slower:.2f} times as long",
            f"≤ {census.SLOWER_THAN_BARE:g} times",
            slower <= census.SLOWER_THAN_BARE,
        ),
    ]


def _alone_rows(alone: Alone) -> list[Row]:
    own = max(each.own for each in alone.blocks)
    return [
        Row(
            "the event loop's longest block during it",
            [each.seconds for each in alone.blocks],
            f"at most {own * 1000:.0f} ms without waits for a processor",
            f"≤ {census.MOST_BLOCK * 1000:.0f} ms without them",
            own <= census.MOST_BLOCK,
        ),
        Row(
            "the whole process's memory at its highest",
            (),
            f"{alone.peak / MEGA:.0f} MB, {alone.before / MEGA:.0f} before",
            f"≤ {census.MOST_MEMORY / MEGA:.0f} MB",
            alone.peak <= census.MOST_MEMORY,
        ),
    ]


def _larger_row(alone: Alone, larger: Alone | None) -> Row:
    what = "the same, of a cluster four times as large"
    goal = f"±{census.MOST_GROWTH:.0%}, ≤ {census.MOST_MEMORY / MEGA:.0f} MB"
    if larger is None:
        return Row(what, (), "not measured: this machine has too little memory for such a control plane", goal)
    growth = larger.peak / alone.peak - 1
    is_flat = abs(growth) <= census.MOST_GROWTH and larger.peak <= census.MOST_MEMORY
    return Row(what, (), f"{larger.peak / MEGA:.0f} MB ({growth:+.0%})", goal, is_flat)


def _notes(size: Size, larger: Size, figures: Figures) -> tuple[str, ...]:
    """Texts that are wrapped where they are written."""
    metadata, everything = (each.size / MEGA for each in (figures.metadata, figures.everything))
    return (
        f"""In the same control plane, with {size}. Of a hundred Secrets {OF_A_TEAM[HELM]} are revisions of Helm
        releases ({HELM_BYTES // 1024} KiB each, compressed), {OF_A_TEAM[TLS]} TLS certificates, {OF_A_TEAM[REGISTRY]}
        registry passwords, and one is a credential of another cluster ({size.held} in all: kubeconfigs, Argo CD's
        clusters, bare tokens). Those whose type says that they hold none the API server leaves out of the census;
        kubectl lists them.""",
        f"""A census of metadata is of token Secrets and service accounts; one of everything has pods and the data of
        {size.opaque_secrets:,} Secrets beside. Both are made in a process that is warm and has its connections open,
        and what they count is checked. The bare pages are the same requests, recorded by a proxy, all lists at once,
        read and thrown away: {figures.metadata.asked.pages} pages of {metadata:.0f} MB and
        {figures.everything.asked.pages} of {everything:.0f} MB. The two alternate. Before each pair a pod, an account
        and a Secret are changed: what nobody changes for five minutes the API server reads from etcd, page by page, for
        everybody alike.""",
        f"""Memory and blocks are those of a process with all of the bot loaded, and of a census of everything. What
        the kernel counts as a wait for a processor (schedstat), while the API server or another program had them, is no
        block by the bot. The cluster is then really filled to four times its size: {larger}.""",
    )
