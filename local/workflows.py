"""Two workflows for a team to begin with: `make local` deploys them, `docs/workflows.md` has them.

Each coroutine function is one: its first argument asks Claude, its second is what it is started
with; both that and what it returns are JSON.
"""

from claude_core.workflows import Asks, chain, parallel, prompt


async def release_note(ask: Asks, diff: str) -> dict[str, str]:
    """What changes, found in one step and said in another: two small calls are surer than one."""
    facts, note = await chain(
        ask,
        prompt(f"List what changes for a user, one fact a line:\n\n{diff}", max_tokens=300),
        lambda facts: prompt(f"Write two friendly sentences:\n\n{facts}", model="balanced"),
    )
    return {"facts": facts.text, "note": note.text}


async def reviewed(ask: Asks, contract: str) -> str:
    """Three readers at once, and one who weighs what they found."""
    views = ("as a lawyer", "as an accountant", "as the one who has to deliver it")
    answer = await parallel(
        ask,
        [prompt(f"Name the risks, {view}:\n\n{contract}") for view in views],
        lambda found: prompt("\n\n".join(["Which three matter most?", *found]), model="balanced"),
    )
    return answer.text
