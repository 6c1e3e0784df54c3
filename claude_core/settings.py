"""What the running code is told by the stack: one class for both sides, so names cannot drift."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self, cast

CLAUDE_URL = "https://api.anthropic.com"


class Environment:
    """A dataclass of strings that a stack writes with `to_env` and the code reads with `from_env`:
    the variables are named as the fields are, in capitals."""

    def to_env(self) -> dict[str, str]:
        return {name: said for name in _names(type(self)) if (said := getattr(self, name.lower()))}

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read the process's environment.

        Raises:
            KeyError: the deployment is incomplete; names the variable.
        """
        env = os.environ if env is None else env
        found = {
            name.lower(): env[name] if default is MISSING else env.get(name, default)
            for name, default in _names(cls).items()
        }
        return cls(**found)


def _names(kind: type[Environment]) -> dict[str, Any]:
    """Variables and their defaults."""
    return {field.name.upper(): field.default for field in fields(cast(Any, kind))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Environment):
    """What every caller of Claude is told."""

    service: str
    """What logs and metrics are filed under: the stack's name."""
    clients_table: str
    history_table: str
    alarm_topic: str
    """ARN of the topic that is told when a budget runs out."""
    claude_secret: str
    """ARN of the secret that holds the Claude API key; never the key itself."""
    claude_url: str
    answer_timeout_s: str
    """Seconds that Claude has for a whole answer, or to begin a streamed one."""
    request_timeout_s: str
    """Seconds from the request's arrival at API Gateway by which Claude's answer must be in."""
    stream_timeout_s: str = ""
    """Seconds that Claude has for a streamed answer; empty where nothing is streamed."""
    ping_s: str = ""
    """Seconds of silence after which a stream says that it is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings(Environment):
    """What the chat service is told besides; every number as text, in the unit of its name."""

    conversations_table: str
    frame_bytes: str
    """The longest websocket frame that is read."""
    messages_per_minute: str
    """Of one socket."""
    sockets_per_client: str
    sockets_per_task: str
    auth_s: str
    """From the connection to a proved handshake."""
    idle_s: str
    """Without a message, and without an answer on its way."""
    lifetime_s: str
    """Of a socket, after which it is told to reconnect."""
    buffer_bytes: str
    """Kept for a reader that does not take what is written; then Claude has to wait, too."""
    stall_s: str
    """That a reader may take nothing, before its socket is cut."""
    resume_s: str
    """That an answer goes on whose reader asked to resume it and is gone."""
    drain_s: str
    """From SIGTERM to the end of the last stream."""
    ws_ping_s: str
    conversation_days: str
    """That a conversation is kept after its last message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings(Environment):
    """What a process that chooses the model is told besides."""

    routes_file: str
    """Path of the table of routes in the bundle."""
    conversations_table: str
    """Of which model is on each conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What AWS itself tells the running code."""

    region: str
    endpoint_url: str | None = None
    """Set only where AWS is an emulator."""
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    credentials_url: str | None = None
    """Where a container, or a function under SnapStart, asks for its role's credentials."""
    credentials_token: str | None = None
    function_name: str | None = None
    """Set on Lambda alone."""
    task_metadata_url: str | None = None
    agent_url: str | None = None
    """Set on ECS alone, both: with this one a task protects itself from being scaled in."""
    port: int = 8080
    """Where a service listens; the Lambda Web Adapter's own default."""
    host: str = "127.0.0.1"
    """Everywhere on Fargate alone, where a security group lets in nobody but the balancer."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Runtime":
        env = os.environ if env is None else env
        relative = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        lambda_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        ecs = f"http://169.254.170.2{relative}" if relative else None
        return cls(
            region=env["AWS_REGION"],
            endpoint_url=env.get("AWS_ENDPOINT_URL"),
            access_key_id=env.get("AWS_ACCESS_KEY_ID"),
            secret_access_key=env.get("AWS_SECRET_ACCESS_KEY"),
            session_token=env.get("AWS_SESSION_TOKEN") or None,
            credentials_url=env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or ecs,
            credentials_token=env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            function_name=lambda_name,
            task_metadata_url=env.get("ECS_CONTAINER_METADATA_URI_V4"),
            agent_url=env.get("ECS_AGENT_URI"),
            port=int(env.get("AWS_LWA_PORT", "8080")),
            host="127.0.0.1" if "AWS_LWA_PORT" in env or lambda_name else "0.0.0.0",  # nosec B104
        )
