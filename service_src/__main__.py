"""`python -m service_src`: the service on one port, until SIGTERM."""

import gc
from contextlib import suppress
from typing import TYPE_CHECKING

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

    from claude_core.settings import RouterSettings
    from service_src.app import create

    router = None
    with suppress(KeyError):  # its stack says so: this function chooses the model
        router = RouterSettings.from_env()
    app = create(settings, runtime, router=router)
    gc.enable()
    uvicorn.run(
        app,
        host=runtime.host,
        port=runtime.port,
        access_log=False,
        log_level="warning",
        server_header=False,
    )


def _on_fargate(settings: "Settings", runtime: "Runtime") -> None:
    from claude_core.settings import ChatSettings
    from service_src.app import create
    from service_src.server import Server, configured

    chat = ChatSettings.from_env()
    app = create(settings, runtime, chat)
    gc.enable()
    config = configured(app, chat, host=runtime.host, port=runtime.port)
    Server(config, app.state.live, runtime.task_metadata_url).run()


if __name__ == "__main__":
    main()
