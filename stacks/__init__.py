"""The registry of patterns: a line for each stack that `cdk deploy` can bring up."""

from stacks.orchestrator import OrchestratorStack
from stacks.queue_worker import QueueStack
from stacks.serverless import ServerlessStack
from stacks.websocket import WebsocketStack

PATTERNS = (ServerlessStack, WebsocketStack, QueueStack, OrchestratorStack)
