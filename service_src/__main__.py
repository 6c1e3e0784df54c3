"""`python -m service_src`: the service on one port, until SIGTERM."""

import gc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_core.settings import Runtime, Settings


def main() -> None:
    gc.disable()  # what is imported stays; looking for garbage meanwhile takes a third of the time
    from claude_core.settings import Runtime, Settings

    settings, runtime = Settings.from_env(), Runtime.from_env()
    serve = _on_lambda if runtime.function_name else _on_fargate
    serve(settings, runtime)


def _on_lambda(settings: "Settings", runtime: "Runtime") -> None:
    import uvicorn

    from service_src.app import create

    app = create(settings, runtime)
    gc.enable()
    uvicorn.run(app, host="127.0.0.1", port=runtime.port, **_SAME)


def _on_fargate(settings: "Settings", runtime: "Runtime") -> None:
    import uvicorn

    from claude_core.settings import ChatSettings
    from service_src.app import create
    from service_src.protocol import Socket, limited
    from service_src.server import Server

    chat = ChatSettings.from_env()
    app = create(settings, runtime, chat)
    gc.enable()
    ping_s = float(chat.ws_ping_s)
    config = uvicorn.Config(
        app,
        host="0.0.0.0",  # nosec B104: the security group lets the load balancer in alone
        port=runtime.port,
        http=limited(asked_within_s=float(chat.auth_s), buffer_bytes=int(chat.buffer_bytes)),
        ws=Socket,
        # A frame that is somewhat too long is answered with an error; a longer one is not read.
        ws_max_size=2 * int(chat.frame_bytes),
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        ws_per_message_deflate=False,
        **_SAME,
    )
    Server(config, app.state.live, runtime.task_metadata_url).run()


_SAME: dict[str, Any] = {
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_keep_alive": 310,  # above the load balancer's idle timeout, or it answers 502
}


if __name__ == "__main__":
    main()
