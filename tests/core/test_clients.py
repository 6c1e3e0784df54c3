"""Client keys: one form, one hash, two headers."""

import pytest

from claude_core.clients import ClientKey, new_key
from claude_core.errors import NotAuthenticated


def test_a_new_key_is_well_formed_and_its_first_eight_characters_are_the_client() -> None:
    key = new_key()
    assert ClientKey.parse(key).id == key[3:11]
    assert len(key) == 46


def test_the_next_key_of_a_client_has_its_id_and_nothing_else_in_common() -> None:
    first = new_key()
    second = new_key(first[3:11])
    assert ClientKey.parse(first).id == ClientKey.parse(second).id
    assert first != second


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "KEY"},
        {"x-api-key": " KEY "},
        {"authorization": "Bearer KEY"},
        {"authorization": "bearer KEY"},
        {"x-api-key": "KEY", "authorization": "Basic abc"},
    ],
)
def test_both_headers_of_the_official_clients_work(headers: dict[str, str]) -> None:
    key = new_key()
    sent = {name: value.replace("KEY", key) for name, value in headers.items()}
    assert ClientKey.from_headers(sent) == ClientKey.parse(key)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"authorization": "Basic ck_abc"},
        {"x-api-key": "sk-ant-abc"},
        {"x-api-key": "ck_" + "a" * 42},
        {"x-api-key": "ck_" + "a" * 44},
        {"x-api-key": "ck_" + "a" * 42 + "!"},
        {"x-api-key": "ck_" + "a" * 43 + "\nx"},
    ],
)
def test_anything_else_is_a_401_before_any_request(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthenticated, match="x-api-key"):
        ClientKey.from_headers(headers)
