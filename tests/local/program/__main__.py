"""`python -m program`: health, a stream, an echo over a websocket, and what it was told."""

import asyncio
import json
import os
import sys
from typing import Any

import uvicorn

PORT = int(os.environ.get("AWS_LWA_PORT", "8080"))


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await chat(scope, receive, send)
    elif scope["type"] == "http":
        await answer(scope, send)


async def chat(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if b"refuse" in scope["query_string"]:
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    while (got := await receive())["type"] == "websocket.receive":
        if got["text"] == "leave":
            await send({"type": "websocket.close", "code": 4408, "reason": "idle"})
            return
        await send({"type": "websocket.send", "text": got["text"]})


async def answer(scope: Any, send: Any) -> None:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    told = {"env": {**os.environ}, "headers": headers, "pid": os.getpid(), "python": sys.prefix}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        for number in range(3):
            body = f"data: {number}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0.3)
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
