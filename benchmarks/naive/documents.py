"""Documents in the background as most teams write it first: Celery on Redis, a client per task."""

import os

import anthropic
import redis
from celery import Celery, Task

app = Celery("documents", broker=os.environ["REDIS_URL"] + "/0")
results = redis.Redis.from_url(os.environ["REDIS_URL"] + "/1")


@app.task(bind=True, max_retries=3, default_retry_delay=30, name="process_document")
def process_document(self: Task, doc_id: str, content: str) -> None:
    client = anthropic.Anthropic()
    try:
        message = client.messages.create(
            model="claude-sonnet-5-5",
            max_tokens=2048,
            messages=[{"role": "user", "content": f"Summarize:\n\n{content}"}],
        )
    except anthropic.RateLimitError as error:
        after = int(error.response.headers.get("retry-after", 30))
        raise self.retry(exc=error, countdown=after) from error
    results.set(doc_id, message.content[0].text)  # type: ignore[union-attr]
