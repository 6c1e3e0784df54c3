"""The streaming service, ready to be asked."""

from collections.abc import Iterator

import pytest

from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.served import Served, service


@pytest.fixture
def served(aws: AwsDouble, claude: Fake) -> Iterator[Served]:
    with service(aws, claude) as one:
        yield one
