"""The commands' words and help texts. What a command needs is imported when it runs.

--help stays quick that way: kubernetes alone takes over half a second to import.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Kubeconfig = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The kubeconfig file; without it, kubectl's ordinary rules hold.")
]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The configuration; without it, the defaults hold.")]
Context = Annotated[str | None, typer.Option(metavar="NAME", help="The kubeconfig context.")]

EPILOGS = {
    "run": """\b
Example:  token-doctor run --config token-doctor.yaml

\b
Exit code:  0 stopped   2 wrong configuration, or refused by Slack   3 cut short""",
    "check": """\b
Example:  token-doctor check shop/checkout-5d9c7b-x7k2p
          token-doctor check checkout-5d9c7b-x7k2p -n shop -o json

\b
Exit code:  0 healthy   1 a warning or worse   2 wrong usage   3 no verdict""",
    "digest": """\b
Example:  token-doctor digest
          token-doctor digest -n "shop-*" -n cart --scan-secrets
          token-doctor digest --cluster prod -o json

\b
Exit code:  0 nothing due, no legacy token   1 a warning or worse   2 wrong usage   3 not everything was read""",
    "review": """\b
Example:  kubectl create token checkout -n shop | token-doctor review

\b
Exit code:  0 accepted   1 refused   2 wrong usage, or no token   3 not asked""",
    "decode": """\b
Example:  kubectl get secret ci-token -o jsonpath='{.data.token}' | token-doctor decode""",
    "errors": """\b
Example:  token-doctor errors "service account token has expired"

\b
Exit code:  0 known   1 not known""",
    "explain": """\b
Example:  token-doctor explain audience-mismatch""",
    "requests": """\b
Example:  token-doctor requests --config token-doctor.yaml
          token-doctor requests show 3fa94c10be --config token-doctor.yaml

\b
Exit code:  0 done   1 too late to cancel   2 wrong usage or configuration   3 the database cannot be used""",
    "audit": """\b
Example:  token-doctor audit --since 7d --target shop/checkout --config token-doctor.yaml
          token-doctor audit -o json --config token-doctor.yaml

\b
Exit code:  0 done   2 wrong usage or configuration   3 the database cannot be used""",
    "preflight": """\b
Example:  token-doctor preflight --config token-doctor.yaml
          kubectl exec -n token-doctor deploy/token-doctor -- token-doctor preflight --config FILE

\b
Exit code:  0 all hold   1 a warning or a failure   2 wrong configuration   3 something could not be tried""",
    "migrate": """\b
Example:  token-doctor migrate --config token-doctor.yaml

\b
Exit code:  0 done   2 wrong configuration, or tables of a newer version   3 the database cannot be used""",
    "manifest": """\b
Example:  token-doctor manifest
          token-doctor manifest --url https://token-doctor.example.com --config token-doctor.yaml

\b
Exit code:  0 done   2 wrong usage or configuration""",
    "rbac": """\b
Example:  token-doctor rbac --config token-doctor.yaml | kubectl apply -f -
          token-doctor rbac --features restart-workload,delete-pod -n shop

\b
Exit code:  0 done   2 wrong usage or configuration""",
}
"""What stands under each command's help; \\b keeps the lines as they are."""


class Verb(StrEnum):
    LIST = "list"
    SHOW = "show"
    CANCEL = "cancel"


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


class Document(StrEnum):
    YAML = "yaml"
    JSON = "json"


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    SLACK = "slack"


def run(*, config: Config = None) -> int:
    """Serve Slack until it is stopped.

    Slack's tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN (over HTTP, SLACK_SIGNING_SECRET instead of the
    latter), or from the files that SLACK_BOT_TOKEN_FILE and so on name.
    """
    from bot.cli import run as work  # noqa: PLC0415  # see above

    return work.run(config)


def check(
    ctx: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A pod, workload, service account, Secret or namespace, as [NAMESPACE/][KIND/]NAME or namespace/NAME.",
        ),
    ],
    *,
    namespace: Annotated[
        str, typer.Option("-n", "--namespace", metavar="NS", help="The namespace, if TARGET does not say it.")
    ] = "",
    output: Annotated[
        Output, typer.Option("-o", "--output", help="Text, JSON, or the message for Slack.")
    ] = Output.TEXT,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    exec_: Annotated[bool, typer.Option("--exec", help="Read the token inside the container.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Mint a fresh token for the pod, and see whether it is accepted.")
    ] = False,
    secret_data: Annotated[
        bool, typer.Option("--secret-data", help="Read and review the tokens in the pod's Secrets.")
    ] = False,
    controller_probe: Annotated[
        str,
        typer.Option(metavar="NAMESPACE", help="Make a token Secret there, see whether it is filled, and remove it."),
    ] = "",
) -> int:
    """Say why a workload's token is refused.

    Only reads, unless --exec, --probe, --secret-data or --controller-probe ask for more.
    """
    from bot.cli import check as work  # noqa: PLC0415  # see above
    from bot.model import Routes  # noqa: PLC0415  # the same

    wanted = work.Wanted(
        target=target,
        namespace=namespace,
        kubeconfig=kubeconfig,
        context=context,
        routes=Routes(exec=exec_, probe=probe, secret_data=secret_data, controller_probe=controller_probe),
    )
    return work.run(wanted, output=output.value, program=_program(ctx))


def digest(  # the options of a command
    ctx: typer.Context,
    *,
    cluster: Annotated[str, typer.Option(metavar="C", help="The cluster: a kubeconfig context.")] = "",
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "-n", "--namespace", metavar="NS", help="Only there: a name, or a pattern such as shop-*; may be repeated."
        ),
    ] = None,
    scan_secrets: Annotated[
        bool, typer.Option("--scan-secrets", help="Also look for tokens and kubeconfigs in the data of all Secrets.")
    ] = False,
    output: Annotated[Form, typer.Option("-o", "--output", help="Text or JSON.")] = Form.TEXT,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> int:
    """Say what never expires in a cluster, what is about to, and what will go wrong.

    Only reads. Token Secrets are read without their tokens; other Secrets' data only with --scan-secrets, and then
    nothing of it is kept.
    """
    from bot.cli import digest as work  # noqa: PLC0415  # see above

    wanted = work.Wanted(
        cluster=cluster, namespaces=namespace or (), scan_secrets=scan_secrets, kubeconfig=kubeconfig, context=context
    )
    return work.run(wanted, json=output is Form.JSON, program=_program(ctx))


def review(ctx: typer.Context, kubeconfig: Kubeconfig = None, context: Context = None) -> int:
    """Ask the API server what it says of a token from standard input.

    The API server judges the token; its claims are explained below. A review moves the last-used label
    of a legacy token's Secret, even when the token is refused, and the audit log may hold the request
    with the token in it.
    """
    from bot.cli import review as work  # noqa: PLC0415  # see above

    return work.run(ctx.args, kubeconfig=kubeconfig, context=context, program=_program(ctx))


def decode(ctx: typer.Context) -> int:
    """Explain the claims of a token from standard input. Nothing is sent anywhere.

    "Bearer", quotes, line ends and a Secret's base64 around the token are forgiven.
    """
    from bot.cli import decode as work  # noqa: PLC0415  # see above

    return work.run(ctx.args, _program(ctx))


def errors(
    ctx: typer.Context,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="A line from a log. Without it, all known lines.")
    ] = None,
) -> int:
    """Say what an error line about a token means."""
    from bot.cli import knowledge  # noqa: PLC0415  # see above

    return knowledge.errors(" ".join(text or ()), _program(ctx))


def explain(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="A cause's code. Without it, all causes.")] = "",
) -> int:
    """Explain a cause, with its runbook."""
    from bot.cli import knowledge  # noqa: PLC0415  # see above

    return knowledge.explain(code, _program(ctx))


def requests(  # the words and options of a command
    ctx: typer.Context,
    verb: Annotated[Verb, typer.Argument(metavar="[list|show|cancel]", help="What to do.")] = Verb.LIST,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The request, for show and cancel.")] = "",
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is cancelled.")] = "",
    config: Config = None,
) -> int:
    """List, show or cancel what was asked for.

    Looks into the bot's database, also while the bot runs. Whatever is approved is approved in Slack.
    """
    from bot.cli import requests as work  # noqa: PLC0415  # see above

    if verb is not Verb.LIST and not id_:
        raise typer.BadParameter(f"{verb.value} needs the request's id.", param_hint="ID")
    match verb:
        case Verb.SHOW:
            return work.show(config, id_, _program(ctx))
        case Verb.CANCEL:
            return work.cancel(config, id_, reason, _program(ctx))
        case Verb.LIST:
            return work.list_(config, _program(ctx))


def audit(
    *,
    since: Annotated[str, typer.Option(metavar="AGE", help="Not older than that, such as 7d or 12h.")] = "",
    target: Annotated[str, typer.Option(metavar="TARGET", help="Of that object only, as NAMESPACE/NAME.")] = "",
    output: Annotated[Form, typer.Option("-o", "--output", help="Text or JSON.")] = Form.TEXT,
    config: Config = None,
) -> int:
    """Show who asked for what, who agreed, what was done and how it ended."""
    from bot.cli import audit as work  # noqa: PLC0415  # see above

    return work.run(config, since, target, json=output is Form.JSON)


def preflight(
    ctx: typer.Context,
    *,
    config: Config = None,
    required: Annotated[bool, typer.Option("--required", help="Only what the bot cannot start without.")] = False,
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", metavar="NS", help="Ask for the rights only there; may be repeated."),
    ] = None,
    output: Annotated[Form, typer.Option("-o", "--output", help="Text or JSON.")] = Form.TEXT,
) -> int:
    """Try everything that the bot needs, and say how to mend what is missing.

    Slack's tokens, scopes, channels, user groups and people; each cluster and each permission; the database, the
    clocks, the policy and the digests. Nothing is changed anywhere, and nothing is posted.
    """
    from bot.cli import preflight as work  # noqa: PLC0415  # see above

    return work.run(config, namespace or (), only_required=required, as_json=output is Form.JSON, program=_program(ctx))


def migrate(*, config: Config = None) -> int:
    """Bring the database's tables up to this version.

    PostgreSQL needs it once before a new version starts. SQLite's tables are brought up by the bot itself.
    The password comes from DATABASE_PASSWORD, or from the file that DATABASE_PASSWORD_FILE names.
    """
    from bot.cli import migrate as work  # noqa: PLC0415  # see above

    return work.run(config)


def manifest(
    *,
    config: Config = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Where Slack reaches the bot over HTTP; without it, Socket Mode.")
    ] = "",
    output: Annotated[Document, typer.Option("-o", "--output", help="YAML or JSON.")] = Document.YAML,
) -> int:
    """Print the manifest from which Slack makes the app.

    With --config it asks only for the scopes of what is switched on, else for all that token-doctor can use.
    """
    from bot.cli import manifest as work  # noqa: PLC0415  # see above

    return work.run(config, url, as_json=output is Document.JSON)


def rbac(
    *,
    config: Config = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="What is to be possible, or all; without it, what the configuration allows."),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", metavar="NS", help="Only there; may be repeated. Without it, everywhere."),
    ] = None,
    service_account: Annotated[
        str, typer.Option(metavar="NS/NAME", help="The account that gets the rights.")
    ] = "token-doctor/token-doctor",
    no_reading: Annotated[
        bool, typer.Option("--no-reading", help="Leave out what every check reads: it is granted already.")
    ] = False,
) -> int:
    """Print the least RBAC that lets token-doctor read, and do what is switched on.

    Features, separated by commas: probe, exec, secret-data, controller-probe, and the actions restart-workload,
    delete-pod, create-token-secret, rotate-token-secret, delete-legacy-secret, reactivate-legacy-token, probe-token.
    """
    from bot.cli import rbac as work  # noqa: PLC0415  # see above

    return work.run(config, features, namespace or (), service_account, reading=not no_reading)


def _program(ctx: typer.Context) -> str:
    """How the reader calls this program."""
    return ctx.find_root().info_name or "token-doctor"
