"""The SDK is imported without its types, works as a whole on demand, and a fall-back is logged."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anthropic
import pytest

from claude_core.lazy import NEEDED
from tests.sweep import some

ROOT = Path(__file__).parents[2]
START = """
import asyncio, sys
import httpx2
from tests.core.sdk_double import ASKED, MESSAGE, http, is_deferred
"""
DEFERRED = START + "import claude_core.client\nassert is_deferred()\n"


def run(script: str, sdk: Path | None = None) -> str:
    """Return what a fresh process prints; `sdk` is a folder with an SDK of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(sdk)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(sdk)} if sdk else None,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LATER = {
    "an answer as bytes runs no more of the SDK": """
async def ask():
    from claude_core.lazy import anthropic
    sdk = anthropic.AsyncAnthropic(api_key="k", http_client=http(httpx2.AsyncClient), max_retries=0)
    options = {"headers": {"content-type": "application/json"}}
    got = await sdk.post("/v1/messages", cast_to=httpx2.Response, content=b"{}", options=options)
    assert got.json() == MESSAGE
before = set(sys.modules)
asyncio.run(ask())
assert not [name for name in set(sys.modules) - before if name.startswith("anthropic")]
""",
    "an error is the SDK's own, with its details, and runs no package of types": """
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
assert is_deferred()
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
    "a traced call ends its span by the SDK's own function": """
import anthropic
from opentelemetry import trace
class Span(trace.NonRecordingSpan):
    seen, ended = {}, 0
    def is_recording(self):
        return True
    def set_attribute(self, key, value):
        self.seen[key] = value
    def set_attributes(self, attributes):
        self.seen.update(attributes)
    def end(self, end_time=None):
        Span.ended += 1
class Tracer(trace.NoOpTracer):
    def start_span(self, name, *arguments, **options):
        return Span(trace.INVALID_SPAN_CONTEXT)
class Provider(trace.TracerProvider):
    def get_tracer(self, *arguments, **options):
        return Tracer()
telemetry = {"tracer_provider": Provider()}
made = http(httpx2.Client)
sdk = anthropic.Anthropic(api_key="k", http_client=made, open_telemetry=telemetry)
sdk.messages.create(**ASKED)
assert Span.ended == 1 and Span.seen["gen_ai.usage.output_tokens"] == 2, Span.seen
""",
}


@pytest.mark.parametrize("script", some(LATER.values(), 2, ids=LATER))
def test_deferred_sdk(script: str) -> None:
    run(DEFERRED + script)


def test_whole_sdk_has_every_name_of_plain_import_from_the_same_module() -> None:
    listing = """
import sys
import anthropic
for module in (anthropic, anthropic.types, anthropic.types.beta, anthropic.types.shared):
    for name in dir(module):
        if not name.startswith("__"):
            value = getattr(module, name)
            kind = "module" if isinstance(value, type(sys)) else value.__class__.__name__
            home = "" if kind == "module" else getattr(value, "__module__", "")
            print(module.__name__, name, kind, home)
"""
    plain, deferred = (set(run(start + listing).splitlines()) for start in ("", DEFERRED))
    assert not plain - deferred
    more = deferred - plain
    assert all(line.endswith(" module ") for line in more), "packages of types that did not run"


def test_needed_lists_every_name_of_the_sdk_that_claude_core_uses() -> None:
    uses = {
        ast.unparse(node)
        for name in ("client.py", "raised.py", "sdk_options.py")
        for node in ast.walk(ast.parse((ROOT / "claude_core" / name).read_text()))
        if isinstance(node, ast.Attribute)
    }
    needed = {f"anthropic.{name}" for names in NEEDED.values() for name in names}
    assert {use for use in uses if use.startswith("anthropic.") and use.count(".") == 1} == needed


def test_sdk_that_is_imported_already_is_used_as_it_is() -> None:
    run(
        START
        + "import anthropic\nkept = anthropic.Anthropic\nimport claude_core.client as c\n"
        + "assert c.anthropic is anthropic and anthropic.Anthropic is kept and not is_deferred()"
    )


def test_pinned_sdk_takes_no_fallback_and_few_modules() -> None:
    """An upgrade of the SDK that costs a cold start a second of CPU must fail here."""
    printed = run(
        DEFERRED
        + "from claude_core.telemetry import Telemetry\n"
        + "Telemetry('tests')\n"
        + "print(len([name for name in sys.modules if name.startswith('anthropic')]))"
    )
    assert int(printed) < 400, "a warning in the log, or modules that the kit does not need"


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.unlink()  # a link to the installed one
    file.write_text(text.replace(old, new))


def rename_class(sdk: Path) -> None:
    rewrite(sdk / "_base_client.py", "DefaultAioHttpClient", "AioHttpClient")
    exported = " DefaultAioHttpClient, DefaultAsyncHttpxClient\n"
    rewrite(sdk / "__init__.py", exported, exported.replace(" ", " AioHttpClient as ", 1))


def move_module(sdk: Path) -> None:
    (sdk / "lib/_tracing/_config.py").rename(sdk / "lib/_tracing/_options.py")
    rewrite(sdk / "lib/_tracing/__init__.py", "from ._config import", "from ._options import")


def use_type_at_import(sdk: Path) -> None:
    rewrite(
        sdk / "_client.py", "\nimport httpx2\n", "\nimport httpx2\nfrom .types import Message\n"
    )


def use_more_of_tracing(sdk: Path) -> None:
    rewrite(
        sdk / "_base_client.py",
        "import OpenTelemetryConfig, ",
        "import ToolRun, OpenTelemetryConfig, ",
    )


def break_sdk(sdk: Path) -> None:
    rewrite(sdk / "_exceptions.py", "import httpx2", "import no_such_module")


RELEASES: dict[Callable[[Path], None], str] = {
    rename_class: "AttributeError: module 'anthropic._base_client' has no attribute "
    "'DefaultAioHttpClient'",
    move_module: "ModuleNotFoundError: No module named 'anthropic.lib._tracing._config'",
    use_type_at_import: "ImportError: cannot import name 'Message' from 'anthropic.types'",
    use_more_of_tracing: "ImportError: cannot import name 'ToolRun' from 'anthropic.lib._tracing'",
}
"""What a later SDK may change, and how the reason in the log then begins."""


def release_of(sdk: Path, change: Callable[[Path], None]) -> None:
    """Put a changed copy of the installed SDK into the folder `sdk`."""
    installed = Path(anthropic.__file__).parent
    shutil.copytree(installed, sdk / "anthropic", copy_function=os.symlink)
    change(sdk / "anthropic")


@pytest.mark.parametrize("change", some(RELEASES, 1, ids=[one.__name__ for one in RELEASES]))
def test_sdk_release_that_does_not_fit_is_imported_plainly_with_one_warning_and_one_count(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    release_of(tmp_path, change)
    printed = run(
        START
        + """
import claude_core.client
import anthropic
assert type(anthropic) is type(sys) and not is_deferred()
assert anthropic.__file__.startswith(sys.argv[1]), anthropic.__file__
assert anthropic.Anthropic(api_key="k", http_client=http(httpx2.Client)).messages.create(**ASKED)
from claude_core.telemetry import Telemetry
Telemetry("tests")
Telemetry("another")
""",
        tmp_path,
    )
    warning, count = (json.loads(line) for line in printed.splitlines())
    assert warning["level"] == "WARNING"
    assert warning["service"] == count["service"] == "tests"
    assert warning["sdk_version"] == anthropic.__version__
    assert warning["reason"].startswith(RELEASES[change])
    assert count["sdk_fallbacks"] == [1.0]


def test_sdk_that_cannot_be_imported_at_all_raises_what_the_plain_import_raises(
    tmp_path: Path,
) -> None:
    release_of(tmp_path, break_sdk)
    script = """
try:
    import claude_core.client
except ModuleNotFoundError as err:
    print(err)
"""
    assert run(script, tmp_path) == "No module named 'no_such_module'\n"
