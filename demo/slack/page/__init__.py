"""The workspace as a person sees it: a page, its live state, and what people do on it."""

from demo.slack.page.panel import Panel
from demo.slack.page.routes import PageRoutes

__all__ = ["PageRoutes", "Panel"]
