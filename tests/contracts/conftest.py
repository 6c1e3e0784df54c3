"""What today's code stores, recorded once for all tests of this folder."""

import pytest

from local.fake_claude.inprocess import Fake
from tests.contracts.parts import written
from tests.contracts.recording import Recording
from tests.doubles import AwsDouble


@pytest.fixture(scope="session")
def recordings(aws_server: AwsDouble, claude_server: Fake) -> dict[str, Recording]:
    return written(aws_server, claude_server)
