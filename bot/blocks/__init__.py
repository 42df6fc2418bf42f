"""Block Kit, pure: what was concluded becomes what is shown, within Slack's limits."""
