"""The SDK is imported light, nobody can tell, and when it cannot be it is imported plainly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from claude_core.lazy import NEEDED

ROOT = Path(__file__).parents[2]
START = """
import asyncio, gc, sys
import httpx2
from tests.core.sdk_double import ASKED, MESSAGE, http, is_light, types
"""
LIGHT = START + "import claude_core.client\nassert is_light()\n"


def run(script: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LATER = {
    "an answer as bytes leaves the types alone": """
async def ask():
    from claude_core.lazy import anthropic
    sdk = anthropic.AsyncAnthropic(api_key="k", http_client=http(httpx2.AsyncClient), max_retries=0)
    options = {"headers": {"content-type": "application/json"}}
    got = await sdk.post("/v1/messages", cast_to=httpx2.Response, content=b"{}", options=options)
    assert got.json() == MESSAGE
asyncio.run(ask())
assert is_light() and len(types()) < 20, types()
""",
    "an error is the SDK's own, details and all, and still light": """
from claude_core.lazy import anthropic
async def ask(status, details):
    error = {"type": "error", "error": {"type": "e", "message": "m", "details": details}}
    made = http(httpx2.AsyncClient, status, error)
    sdk = anthropic.AsyncAnthropic(api_key="k", http_client=made, max_retries=0)
    try:
        await sdk.post("/v1/messages", cast_to=httpx2.Response, body={})
    except anthropic.APIStatusError as err:
        return err
expired = asyncio.run(ask(404, {"error_code": "file_expired", "file_id": "f"}))
busy = asyncio.run(ask(529, None))
assert is_light()
import anthropic.types
assert type(busy) is anthropic.OverloadedError
assert type(expired).__name__ == "FileExpiredError" and isinstance(expired, anthropic.NotFoundError)
assert type(expired.details).__name__ == "FileExpiredErrorDetails"
""",
    "a module of types is the real one": """
import pydantic
import anthropic.types.message
from anthropic.types.beta.beta_message import BetaMessage
assert issubclass(anthropic.types.message.Message, pydantic.BaseModel)
assert "usage" in BetaMessage.model_fields
""",
    "so is what a package of types gives": """
import pydantic
from anthropic.types.beta import BetaMessage
import anthropic
assert issubclass(BetaMessage, pydantic.BaseModel)
assert anthropic.types.Message.model_validate(MESSAGE).content[0].text == "hi"
assert "Message" in dir(anthropic.types)
""",
    "messages.create and messages.stream work, with and without await": """
import anthropic
error = anthropic.APIStatusError
sdk = anthropic.Anthropic(api_key="k", http_client=http(httpx2.Client))
made = sdk.messages.create(**ASKED)
assert isinstance(made, anthropic.types.Message) and made.content[0].text == "hi"
with sdk.messages.stream(**ASKED) as stream:
    assert "".join(stream.text_stream) == "hi"
async def ask():
    sdk = anthropic.AsyncAnthropic(api_key="k", http_client=http(httpx2.AsyncClient))
    async with sdk.messages.stream(**ASKED) as stream:
        assert (await stream.get_final_message()).content[0].text == "hi"
    return await sdk.beta.messages.create(**ASKED)
assert isinstance(asyncio.run(ask()), anthropic.types.beta.BetaMessage)
assert anthropic.APIStatusError is error
""",
    "a star and an unknown name do what they always do": """
import anthropic
try:
    anthropic.no_such_name
except AttributeError as err:
    assert "no_such_name" in str(err)
else:
    raise AssertionError
from anthropic import *
assert issubclass(OverloadedError, APIStatusError)
""",
    "threads that ask for more at once all get it": """
from concurrent.futures import ThreadPoolExecutor
import importlib
import anthropic
asks = [
    lambda: anthropic.Anthropic,
    lambda: importlib.import_module("anthropic.types.beta").BetaMessage.model_fields,
    lambda: importlib.import_module("anthropic.types").Message.model_fields,
    lambda: importlib.import_module("anthropic.resources.messages").Messages,
] * 2
with ThreadPoolExecutor(8) as pool:
    assert all([one.result(timeout=30) for one in [pool.submit(ask) for ask in asks]])
""",
    "nothing of the import stays behind": """
from claude_core.lazy import Finder
from claude_core.standins import Leaf
assert Finder not in sys.meta_path and gc.isenabled()
assert not [name for name, module in sys.modules.items() if type(module) is Leaf]
""",
}


@pytest.mark.parametrize("script", LATER.values(), ids=LATER)
def test_after_the_light_import(script: str) -> None:
    run(LIGHT + script)


def test_the_whole_sdk_has_the_same_names_from_the_same_modules_as_the_plain_import() -> None:
    listing = """
import sys
import anthropic
anthropic.Anthropic
for module in (anthropic, anthropic.types, anthropic.types.beta, anthropic.types.shared):
    for name, value in sorted(vars(module).items()):
        if not name.startswith("__"):
            kind = "module" if isinstance(value, type(sys)) else value.__class__.__name__
            home = "" if kind == "module" else getattr(value, "__module__", "")
            print(module.__name__, name, kind, home)
"""
    assert run(LIGHT + listing) == run(listing)


def test_every_name_that_is_used_is_among_the_light_ones() -> None:
    uses = {
        ast.unparse(node)
        for name in ("client.py", "raised.py", "sdk_options.py")
        for node in ast.walk(ast.parse((ROOT / "claude_core" / name).read_text()))
        if isinstance(node, ast.Attribute)
    }
    light = {f"anthropic.{name}" for names in NEEDED.values() for name in names}
    assert {use for use in uses if use.startswith("anthropic.") and use.count(".") == 1} == light


def test_an_sdk_that_is_there_already_is_left_as_it_is() -> None:
    run(
        START
        + "import anthropic\nkept = anthropic.Anthropic\nimport claude_core.client as c\n"
        + "assert c.anthropic is anthropic and anthropic.Anthropic is kept and not is_light()"
    )


BROKEN = {
    "the loader": "standins.Deferring.create_module = broken",
    "a stand-in used too early": "standins.Later.__or__ = broken",
    "a package": "standins.Types._has_module = broken",
    "a module that moved": "lazy.NEEDED['anthropic._no_such_module'] = ('AsyncAnthropic',)",
    "a name that moved": "lazy.NEEDED['anthropic._client'] = ('NoSuchName',)",
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN)
def test_whatever_breaks_the_sdk_is_imported_plainly_and_silently(breaking: str) -> None:
    # `load` runs at import, so what it uses is broken first, and it is called once more.
    script = f"""
import gc, sys
from claude_core import lazy, standins
for name in [name for name in sys.modules if name.split(".")[0] == "anthropic"]:
    del sys.modules[name]
def broken(*args):
    raise RuntimeError("not as expected")
{breaking}
sdk = lazy.load()
assert type(sdk) is type(sys) and "anthropic.resources" in sys.modules
assert sdk.Anthropic(api_key="k").messages
assert lazy.Finder not in sys.meta_path and gc.isenabled()
"""
    assert run(script) == ""
