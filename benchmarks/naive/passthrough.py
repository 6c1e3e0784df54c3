"""The least that a chat can cost: Claude's events without the SDK; no history, budget or key."""

import json
import os

import aiohttp
import uvicorn
from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.websocket("/chat")
async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        while True:
            body = {
                "model": "claude-sonnet-5-5",
                "max_tokens": 2048,
                "stream": True,
                "messages": [{"role": "user", "content": await websocket.receive_text()}],
            }
            async with http.post(url, json=body, headers=headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        event = json.loads(line[6:])
                        if event["type"] == "content_block_delta":
                            await websocket.send_text(event["delta"].get("text", ""))
            await websocket.send_text("[DONE]")


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["AWS_LWA_PORT"]),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
