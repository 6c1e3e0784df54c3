"""A streaming route as most teams write it first: FastAPI, and the SDK's helper for its events."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
client = anthropic.AsyncAnthropic()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/messages")
async def messages(body: dict[str, Any]) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        body.pop("stream")
        async with client.messages.stream(**body) as stream:
            async for text in stream.text_stream:
                yield f"data: {json.dumps({'type': 'text_delta', 'text': text})}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["AWS_LWA_PORT"]), log_level="warning", access_log=False)
