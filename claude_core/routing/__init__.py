"""The right model for each question: `Orchestra` for clients of a deployment, `respond` for code of
one's own, `classify_then_respond` for one line."""

from claude_core.routes import BadTable, Route, Table
from claude_core.routing.conversations import Conversations
from claude_core.routing.orchestra import Orchestra, Routed
from claude_core.routing.router import Router
from claude_core.routing.simple import classify_then_respond, respond

__all__ = [
    "BadTable",
    "Conversations",
    "Orchestra",
    "Route",
    "Routed",
    "Router",
    "Table",
    "classify_then_respond",
    "respond",
]
