"""A chat as most teams write it first: the synchronous client inside the async route."""

import os

import anthropic
import uvicorn
from fastapi import FastAPI, WebSocket

app = FastAPI()
client = anthropic.Anthropic()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.websocket("/chat")
async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        question = await websocket.receive_text()
        with client.messages.stream(
            model="claude-sonnet-5-5",
            max_tokens=2048,
            messages=[{"role": "user", "content": question}],
        ) as stream:
            for text in stream.text_stream:
                await websocket.send_text(text)
        await websocket.send_text("[DONE]")


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["AWS_LWA_PORT"]), log_level="warning", access_log=False)
