"""`python -m demo.slack [PORT]`: runs the stand-in and prints what a bot needs to reach it."""

import argparse
import asyncio
import contextlib

from demo.slack.server import SlackServer


async def main(port: int) -> None:
    async with SlackServer(port=port) as slack:
        print(f"SLACK_API_URL={slack.api_url}")
        print(f"SLACK_BOT_TOKEN={slack.bot_token}")
        print(f"SLACK_APP_TOKEN={slack.app_token}")
        print(f"SLACK_SIGNING_SECRET={slack.workspace.app.signing_secret}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.slack", description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=0, help="without it, one that is free")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args().port))
