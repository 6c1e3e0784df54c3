"""JSON schemas of routed questions, by the names that `http_routes.py` knows them by."""

from claude_core import fields
from claude_core.fields import ref
from claude_core.messages import STREAMED_OR_SHORT
from claude_core.routing import asked
from claude_core.routing.choice import Reason
from claude_core.schemas import NUMBER, STRING, message, record
from claude_core.wire import Json


def routing_schemas() -> dict[str, Json]:
    """The schemas that the orchestrator's route needs beside the core's."""
    return {
        "Question": {"oneOf": [ref("Orchestrate"), ref("OrchestrateInput")]},
        "Orchestrate": fields.schema(asked.MESSAGES, **STREAMED_OR_SHORT),
        "OrchestrateInput": fields.schema(asked.INPUT, **STREAMED_OR_SHORT),
        "RoutedMessage": message({"route": ref("Route")}),
        "Route": {
            **record(
                {
                    "intent": {**STRING, "description": "Of the table of routes."},
                    "confidence": {
                        "oneOf": [{**NUMBER, "minimum": 0, "maximum": 1}, {"type": "null"}],
                        "description": "The classifier's own; null where none was asked, or none "
                        "was understood.",
                    },
                    "model": {**STRING, "description": "Who answered."},
                    "reason": {
                        "enum": [reason.value for reason in Reason],
                        "description": "Why it was this model.",
                    },
                    "cost_usd": {
                        **NUMBER,
                        "description": "What choosing has cost, in all that was charged.",
                    },
                },
                {
                    "saved_usd": {
                        **NUMBER,
                        "description": "Less than the dearest model that the client may use would "
                        "have cost, choosing paid; below zero where it cost more. Known at the "
                        "end: in a stream the last `message_delta` has it.",
                    }
                },
            ),
            "additionalProperties": False,
        },
    }
