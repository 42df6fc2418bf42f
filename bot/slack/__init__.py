"""The one door to Slack: its Web API with retries and a queue a channel, and Socket Mode."""
