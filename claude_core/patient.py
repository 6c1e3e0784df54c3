"""AWS, asked again while it does not answer: for work that nobody waits for, and that may be done
twice."""

from typing import Any

from claude_core.aws import Aws
from claude_core.insist import insist

PATIENCE_S = 20.0


class PatientAws(Aws):
    """Another's requests, insisted on."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def call(
        self, service: str, target: str, payload: dict[str, Any], *, wait_s: float = 0.0
    ) -> dict[str, Any]:
        asked = service, target, payload
        return await insist(lambda: self._aws.call(*asked, wait_s=wait_s), seconds=PATIENCE_S)

    async def get_object(self, bucket: str, key: str) -> bytes:
        return await insist(lambda: self._aws.get_object(bucket, key), seconds=PATIENCE_S)

    async def put_object(
        self, bucket: str, key: str, body: bytes, *, content_type: str = "application/json"
    ) -> None:
        await insist(
            lambda: self._aws.put_object(bucket, key, body, content_type=content_type),
            seconds=PATIENCE_S,
        )

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        """Once: a warning that comes twice is worse than one that waits."""
        await self._aws.publish(topic, subject=subject, message=message)
