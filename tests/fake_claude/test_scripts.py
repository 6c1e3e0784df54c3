"""Scripts reach a request by header, by a mark in its prompt, or by plan; a typo is not ignored."""

from typing import Any

import httpx2
import pytest

from local.fake_claude import script
from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import ask


def statuses(http: httpx2.Client, count: int, **fields: Any) -> list[int]:
    return [http.post("/v1/messages", json=ask(**fields)).status_code for _ in range(count)]


def test_a_plan_is_followed_in_order_and_then_it_is_over(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded", {"name": "server_error"}, "answer", "rate_limited retry_after=9"])
    assert statuses(http, 6) == [529, 500, 200, 429, 200, 200]


def test_a_new_plan_takes_the_place_of_the_old_one(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded"] * 5)
    fake.plan(["server_error"])
    assert statuses(http, 2) == [500, 200]
    fake.plan(["overloaded"])
    fake.plan([])
    assert statuses(http, 1) == [200]


def test_a_plan_can_repeat(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded", "answer"], repeat=True)
    assert statuses(http, 5) == [529, 200, 529, 200, 529]


def test_a_plan_by_chance_is_the_same_chance_for_the_same_seed(
    fake: Fake, http: httpx2.Client
) -> None:
    runs = []
    for _ in range(2):
        fake.plan(["overloaded"], probability=0.5, seed=7)
        runs.append(statuses(http, 40))
    assert runs[0] == runs[1]
    assert 10 < runs[0].count(529) < 30


def test_a_planned_behaviour_can_be_meant_several_times(fake: Fake, http: httpx2.Client) -> None:
    fake.plan([{"name": "overloaded", "times": 2}, "server_error"])
    assert statuses(http, 4) == [529, 529, 500, 200]


def test_a_behaviour_for_one_model_waits_for_it(fake: Fake, http: httpx2.Client) -> None:
    fake.plan([{"name": "overloaded", "model": "claude-opus-5-5"}])
    assert statuses(http, 2) == [200, 200]
    assert statuses(http, 2, model="claude-opus-5-5") == [529, 200]


def test_other_routes_leave_the_plan_alone(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded"])
    count = {name: value for name, value in ask().items() if name != "max_tokens"}
    assert http.post("/v1/messages/count_tokens", json=count).status_code == 200
    assert http.get("/v1/models").status_code == 200
    assert statuses(http, 1) == [529]


@pytest.mark.parametrize(
    "written",
    [
        "overloaded",
        '{"name": "overloaded"}',
        "rate_limited status=529",
        "overloaded message='no more'",
    ],
)
def test_a_header_and_a_mark_say_the_same(http: httpx2.Client, written: str) -> None:
    by_header = http.post("/v1/messages", json=ask(), headers={"x-fake": written})
    by_mark = http.post("/v1/messages", json=ask(f"Please [[fake: {written}]] answer."))
    assert (by_header.status_code, by_mark.status_code) == (529, 529)
    assert by_header.json()["error"] == by_mark.json()["error"]


def test_a_mark_works_wherever_the_last_user_text_is(http: httpx2.Client) -> None:
    block = {"type": "text", "text": "[[fake:overloaded]]"}
    blocks = [{"role": "user", "content": [{"type": "text", "text": "hi"}, block]}]
    assert http.post("/v1/messages", json=ask(messages=blocks)).status_code == 529


def test_a_mark_of_an_earlier_turn_is_history(http: httpx2.Client) -> None:
    talk = [
        {"role": "user", "content": "[[fake: overloaded]]"},
        {"role": "assistant", "content": "I see."},
        {"role": "user", "content": "Again?"},
    ]
    assert http.post("/v1/messages", json=ask(messages=talk)).status_code == 200


def test_a_mark_may_hold_json_with_brackets_of_its_own(http: httpx2.Client) -> None:
    mark = '[[fake: {"text": "[[1], [2]]"} ]]'
    answer = http.post("/v1/messages", json=ask(f"a {mark} b"))
    assert answer.json()["content"][0]["text"] == "[[1], [2]]"


def test_a_mark_is_not_said_back(http: httpx2.Client) -> None:
    text = http.post("/v1/messages", json=ask("one [[fake: answer]] two")).json()["content"][0]
    assert text["text"].endswith('"one two"')


def test_a_mark_for_a_number_of_times_makes_retries_testable_side_by_side(
    http: httpx2.Client,
) -> None:
    mark = "[[fake: overloaded times=2]]"
    assert statuses(http, 3, messages=ask(f"{mark} first")["messages"]) == [529, 529, 200]
    assert statuses(http, 3, messages=ask(f"{mark} second")["messages"]) == [529, 529, 200]


def test_of_several_marks_the_next_one_follows_when_one_is_used_up(http: httpx2.Client) -> None:
    marks = "[[fake: overloaded times=1]] [[fake: server_error times=1]]"
    assert statuses(http, 3, messages=ask(marks)["messages"]) == [529, 500, 200]


def test_a_mark_for_one_model_leaves_the_others_alone(http: httpx2.Client) -> None:
    messages = ask("[[fake: overloaded model=claude-opus-5-5]]")["messages"]
    assert statuses(http, 1, messages=messages) == [200]
    assert statuses(http, 1, messages=messages, model="claude-opus-5-5") == [529]


def test_the_header_comes_before_the_mark_and_the_mark_before_the_plan(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan(["server_error"])
    marked = ask("[[fake: overloaded]]")
    first = http.post("/v1/messages", json=marked, headers={"x-fake": "rate_limited"})
    second = http.post("/v1/messages", json=marked)
    assert [first.status_code, second.status_code] == [429, 529]
    assert statuses(http, 2) == [500, 200]


WRONG = [
    ("overlaoded", "no such behaviour"),
    ("overloaded after=3", "after is not a parameter"),
    ("cut after=soon", "not a number"),
    ("delay_ms=-5", "not a number from 0 up"),
    ("tokens=true", "not a number from 0 up"),
    ("usage=5", "an object is needed"),
    ("{", "not JSON"),
    ("", "no name"),
    ("overloaded message='no end", "a quote without its end"),
]


@pytest.mark.parametrize(("written", "words"), WRONG)
def test_a_script_that_cannot_be_followed_is_a_400_and_not_an_answer(
    fake: Fake, http: httpx2.Client, written: str, words: str
) -> None:
    answer = http.post("/v1/messages", json=ask(f"[[fake: {written} ]]"))
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    with pytest.raises(RuntimeError, match=words):
        fake.plan([written])


@pytest.mark.parametrize(
    "plan",
    [
        5,
        {},
        {"behaviours": "overloaded"},
        {"behaviours": [], "repaet": True},
        [5],
        {"behaviours": [], "probability": "often"},
    ],
)
def test_a_plan_that_is_none_is_a_400(http: httpx2.Client, plan: Any) -> None:
    assert http.post("/_fake/plan", json=plan).status_code == 400


@pytest.mark.parametrize("keys", [5, {}, {"live": "sk-ant-a"}, {"live": [5]}])
def test_keys_that_are_none_are_a_400(http: httpx2.Client, keys: Any) -> None:
    assert http.post("/_fake/keys", json=keys).status_code == 400


@pytest.mark.parametrize("given", ["1.50", "007", "1e3", "-1", "30"])
def test_a_retry_after_in_a_mark_is_not_rewritten(http: httpx2.Client, given: str) -> None:
    answer = http.post("/v1/messages", json=ask(f"[[fake: rate_limited retry_after={given}]]"))
    assert answer.headers["retry-after"] == given


def test_a_mark_without_an_end_is_text() -> None:
    text = "[[fake: overloaded"
    assert list(script.marks(text)) == []
    assert script.without_marks(text) == text
