"""Choosing never fails, and never chooses what a client may not use."""

from dataclasses import replace

import pytest

from claude_core import errors
from claude_core.models import MODELS, Model
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last, Reason, Verdict
from claude_core.routing.policy import Purse, after_refusal, next_line
from tests.core.routing import ALL, BALANCED, DEEP, FAST, Routing, answer, verdict


@pytest.mark.parametrize(
    ("intent", "model"),
    [("question", FAST), ("task", BALANCED), ("creative", BALANCED), ("code", BALANCED)],
)
def test_an_intent_takes_its_route(intent: str, model: Model) -> None:
    choice = Routing(verdict(intent)).choose()
    assert (choice.route.intent, choice.model, choice.reason) == (intent, model, Reason.CLASSIFIED)
    assert choice.cost == 7


def test_what_is_not_sure_takes_the_default_and_says_what_it_might_have_been() -> None:
    choice = Routing(verdict("question", 0.5)).choose()
    assert (choice.model, choice.reason) == (BALANCED, Reason.UNSURE)
    assert choice.to_json()["confidence"] == 0.5
    assert choice.to_json()["intent"] == "unknown"


def test_a_model_that_is_asked_for_by_name_is_taken_and_nothing_is_classified() -> None:
    routing = Routing(verdict("question"))
    choice = routing.choose(model="deep")
    assert (choice.model, choice.reason, routing.asked) == (DEEP, Reason.ASKED, [])
    assert routing.choose(model="auto").reason is Reason.CLASSIFIED
    with pytest.raises(errors.NotFound):
        routing.choose(model="gpt")


def test_attachments_are_not_classified() -> None:
    routing = Routing(verdict("question"))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
    messages = [{"role": "user", "content": [image, {"type": "text", "text": "what is it?"}]}]
    choice = routing.choose(messages=messages)
    assert (choice.model, choice.reason, routing.asked) == (BALANCED, Reason.ATTACHMENTS, [])


def test_a_prompt_above_a_hundred_thousand_tokens_is_not_classified() -> None:
    routing = Routing(verdict("question"))
    choice = routing.choose("x" * 420_000)
    assert (choice.model, choice.reason, routing.asked) == (BALANCED, Reason.LONG, [])
    assert routing.choose("x" * 380_000).reason is Reason.CLASSIFIED


def test_a_prompt_that_a_model_cannot_read_goes_to_one_that_can() -> None:
    short = replace(BALANCED, max_input_tokens=200_000)
    purse = Purse([FAST, short, DEEP])
    assert purse.nearest(short, 150_000) is short
    assert purse.nearest(short, 300_000) is FAST
    assert Purse([short, DEEP]).nearest(short, 300_000) is DEEP
    assert Purse([short]).nearest(short, 300_000) is short


@pytest.mark.parametrize("intent", Table.own().routes)
@pytest.mark.parametrize("allowed", [[FAST], [BALANCED], [DEEP], [FAST, DEEP], [BALANCED, DEEP]])
def test_no_client_gets_a_model_that_it_may_not_use(intent: str, allowed: list[Model]) -> None:
    choice = Routing(verdict(intent)).choose("route me to opus", Purse(allowed))
    assert choice.model in allowed


def test_where_a_route_is_too_dear_for_a_client_the_nearest_below_answers() -> None:
    assert Routing(verdict("code")).choose(purse=Purse([FAST])).model is FAST
    assert Routing(verdict("code")).choose(purse=Purse([FAST, DEEP])).model is FAST


def test_without_the_classifiers_model_nothing_is_classified() -> None:
    routing = Routing(verdict("question"))
    choice = routing.choose(purse=Purse([BALANCED]))
    assert (choice.reason, routing.asked) == (Reason.NO_CLASSIFIER, [])


def test_who_may_use_nothing_is_told_so() -> None:
    with pytest.raises(errors.NotAllowed):
        Routing(verdict("question")).choose(purse=Purse([]))


def test_with_little_money_left_the_cheapest_answers_and_nothing_is_classified() -> None:
    routing = Routing(verdict("code"))
    choice = routing.choose(purse=Purse(ALL.allowed, left=0.04))
    assert (choice.model, choice.reason, routing.asked) == (FAST, Reason.BUDGET, [])


def test_a_conversation_stays_on_its_model_unless_its_client_may_not_use_it_any_more() -> None:
    routing = Routing(verdict("question"))
    last = Last(route=Table.own().routes["code"], model=BALANCED, verdict=Verdict("code", 0.8))
    stays = routing.choose("x" * 500_000, last=last)
    assert (stays.model, stays.reason, stays.cost) == (BALANCED, Reason.CONVERSATION, 0)
    assert (stays.route, stays.verdict, stays.dearest) == (last.route, last.verdict, DEEP)
    assert routing.choose(purse=Purse([FAST]), last=last).model is FAST
    assert routing.choose(model="deep", last=last).reason is Reason.ASKED
    little = Purse(ALL.allowed, left=0.04)
    assert routing.choose(purse=little, last=last).reason is Reason.BUDGET
    assert routing.choose(last=replace(last, holds=False)).reason is Reason.CLASSIFIED


@pytest.mark.parametrize("model", ["fast", "auto"])
def test_a_model_that_answers_anyway_keeps_the_route_that_the_conversation_is_on(
    model: str,
) -> None:
    """With another system prompt Claude would refuse its thoughts."""
    little, route = Purse(ALL.allowed, left=0.04), Table.own().routes["question"]
    last = Last(route=route, model=FAST)
    choice = Routing(verdict("code")).choose(model=model, purse=little, last=last)
    assert (choice.model, choice.route) == (FAST, route)
    assert choice.reason in (Reason.ASKED, Reason.BUDGET)


def test_the_next_line_is_no_dearer_if_there_is_one_and_never_one_that_nobody_wanted() -> None:
    code, question = Routing(verdict("code")).choose(), Routing(verdict("question")).choose()
    assert next_model(code, ALL) is FAST
    assert next_model(replace(code, model=DEEP), ALL) is BALANCED
    assert next_model(question, ALL) is BALANCED, "where none is cheaper, the nearest"
    assert next_model(code, Purse([BALANCED])) is None
    assert next_model(replace(question, reason=Reason.BUDGET), ALL) is None
    assert next_model(replace(code, reason=Reason.ASKED), ALL) is None
    assert next_line(code, ALL, larger=True) is None, "all read a million tokens"


def next_model(choice: Choice, purse: Purse) -> Model | None:
    found = next_line(choice, purse)
    return found.model if found else None


def test_after_a_refusal_nobody_dearer_is_asked_at_the_end_of_the_months_money() -> None:
    route = replace(Table.own().default, after_refusal="deep")
    choice = Choice(route=route, model=FAST, reason=Reason.CLASSIFIED)
    other = after_refusal(choice, ALL)
    assert other is not None
    assert other.model is DEEP
    poor = replace(choice, reason=Reason.BUDGET)
    assert after_refusal(poor, ALL) is None
    cheaper = replace(poor, model=DEEP, route=replace(route, after_refusal="fast"))
    assert after_refusal(cheaper, ALL) is not None


def test_what_is_saved_is_told_against_the_dearest_and_choosing_is_paid_from_it() -> None:
    reply = answer("x")
    choice = Routing(verdict("question")).choose()
    saved = DEEP.cost(reply.usage) - FAST.cost(reply.usage) - 7
    assert choice.to_json(reply.usage)["saved_usd"] == saved / 10**9
    assert all(model.price.output for model in MODELS)
