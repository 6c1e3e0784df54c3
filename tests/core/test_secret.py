"""The Claude key is read when needed, kept a while, and never guessed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from claude_core.aws import Aws
from claude_core.connections import AwsHttp
from claude_core.errors import AwsUnreachable, KeyMissing
from claude_core.secret import KEPT_S, Secret, checked
from tests.doubles import CLAUDE_KEY, AwsDouble

ROTATED = CLAUDE_KEY + "-rotated"
READ = "secretsmanager:GetSecretValue"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def run(aws: AwsDouble, arn: str, do: Callable[[Secret, Clock], Awaitable[None]]) -> None:
    async def inner() -> None:
        async with AwsHttp() as client:
            clock = Clock()
            await do(Secret(Aws(client, aws.runtime), arn, clock), clock)

    asyncio.run(inner())


def rotate(aws: AwsDouble, arn: str) -> None:
    aws.boto("secretsmanager").put_secret_value(SecretId=arn, SecretString=ROTATED)


def test_one_read_serves_five_minutes_of_callers(aws: AwsDouble) -> None:
    async def do(secret: Secret, clock: Clock) -> None:
        assert set(await asyncio.gather(*(secret.get() for _ in range(50)))) == {CLAUDE_KEY}
        clock.now += KEPT_S - 1
        await secret.get()
        assert aws.count(READ) == 1
        clock.now += 2
        await secret.get()
        assert aws.count(READ) == 2

    run(aws, aws.claude_secret(), do)


def test_a_rejected_key_is_read_again_at_once_and_only_once(aws: AwsDouble) -> None:
    arn = aws.claude_secret()

    async def do(secret: Secret, clock: Clock) -> None:
        old = await secret.get()
        rotate(aws, arn)
        assert await secret.get() == old
        fresh = await asyncio.gather(*(secret.refresh(rejected=old) for _ in range(20)))
        assert set(fresh) == {ROTATED}
        assert aws.count(READ) == 2

    run(aws, arn, do)


def test_the_old_key_is_served_while_secrets_manager_is_down(aws: AwsDouble) -> None:
    async def do(secret: Secret, clock: Clock) -> None:
        await secret.get()
        aws.broken = lambda action: (500, {"__type": "InternalServiceError"})
        clock.now += KEPT_S + 1
        assert await secret.get() == CLAUDE_KEY

    run(aws, aws.claude_secret(), do)


def test_without_any_key_yet_an_outage_is_an_outage(aws: AwsDouble) -> None:
    aws.broken = lambda action: (500, {"__type": "InternalServiceError"})

    async def do(secret: Secret, clock: Clock) -> None:
        with pytest.raises(AwsUnreachable):
            await secret.get()

    run(aws, "arn:aws:secretsmanager:us-east-1:1:secret:x", do)


def test_a_secret_as_the_deploy_leaves_it_says_how_to_fill_it_and_is_read_once_it_is(
    aws: AwsDouble,
) -> None:
    arn = aws.claude_secret(key=None)

    async def do(secret: Secret, clock: Clock) -> None:
        with pytest.raises(KeyMissing, match="kit key set"):
            await secret.get()
        rotate(aws, arn)
        assert await secret.get() == ROTATED

    run(aws, arn, do)


@pytest.mark.parametrize("paste", [f"{CLAUDE_KEY}\n", f"  {CLAUDE_KEY}\r\n"])
def test_white_space_of_a_paste_is_dropped_since_it_would_break_the_connection(paste: str) -> None:
    assert checked(paste) == CLAUDE_KEY


@pytest.mark.parametrize("key", ["", "\n", "sk-ant-", "ck_" + "a" * 43, "sk-ant-a b" * 5, "é" * 30])
def test_what_is_no_claude_key_is_never_sent(key: str) -> None:
    with pytest.raises(KeyMissing, match="kit key set"):
        checked(key)
