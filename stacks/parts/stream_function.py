"""The one way a streaming function is made: the web service under the adapter, with deadlines."""

from collections.abc import Mapping
from dataclasses import replace

from constructs import Construct

from claude_core.settings import Settings
from stacks.config import Config
from stacks.parts.assets import NONE, Files
from stacks.parts.function import Function
from stacks.parts.web_adapter import HANDLER, adapter_env, web_adapter

NOTHING: Mapping[str, str] = {}


class StreamFunction(Function):
    """`service_src` on Lambda. Every route to it has to be a streamed one: its answers are written
    for no other."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        settings: Settings,
        description: str,
        env: Mapping[str, str] = NOTHING,
        files: Files = NONE,
    ) -> None:
        """
        Args:
            settings: those of a buffered route; what a stream may take replaces its deadlines.
            env: what the function is told besides.
        """
        streaming = replace(
            settings,
            answer_timeout_s=str(config.stream_answer_timeout_s),
            stream_timeout_s=str(config.stream_timeout_s),
            ping_s=str(config.ping_s),
        )
        super().__init__(
            scope,
            id,
            config=config,
            package="service_src",
            handler=HANDLER,
            env={**streaming.to_env(), **env, **adapter_env(config)},
            timeout_s=config.stream_function_timeout_s,
            description=description,
            layers=[web_adapter(scope, f"{id}Adapter", config=config)],
            files=files,
        )
