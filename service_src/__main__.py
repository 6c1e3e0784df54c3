"""`python -m service_src`: the service on one port, until SIGTERM."""

import gc


def main() -> None:
    gc.disable()  # what is imported stays; looking for garbage meanwhile takes a third of the time
    import uvicorn

    from claude_core.settings import Runtime, Settings
    from service_src.app import create

    gc.enable()
    runtime = Runtime.from_env()
    uvicorn.run(
        create(Settings.from_env(), runtime),
        host="127.0.0.1" if runtime.function_name else "0.0.0.0",  # nosec B104
        port=runtime.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=310,  # above the load balancer's idle timeout, or it answers 502
    )


if __name__ == "__main__":
    main()
