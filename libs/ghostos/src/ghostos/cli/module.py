"""`ghostos moss`: a target's module without a model."""

from dataclasses import asdict
from pathlib import Path

import msgspec

from ghostos.abcd import Ghost
from ghostos.cli.application import get_settings, open_module, open_target
from ghostos.cli.ctrl_c import counting_ctrl_c
from ghostos.cli.failures import INTERRUPTED_STATUS
from ghostos.cli.options import Common
from ghostos.cli.streams import read_stdin, write_note, write_out, write_out_line
from ghostos.core.clock import utc_now
from ghostos.core.escaping import escape, escape_line
from ghostos.core.json import JsonObject
from ghostos.errors import UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.identity import render_identity
from ghostos.ghosts.moss_agent import MossAgent, render_system
from ghostos.ghosts.moss_protocol import render_state
from ghostos.libraries.flow import FlowRecord
from ghostos.libraries.profiles import describe_profile, make_profile
from ghostos.runtime.timers import local_zone
from ghostos_moss import ModuleSession, RunResult, count_tokens


def print_prompt(target: str, *, common: Common, with_tokens: bool) -> None:
    """Print what a model gets before anything was said: the system message, and the state of its `moss`, if any.

    Args:
        target: What the user pointed at.
        common: The shared options.
        with_tokens: Print its length in tokens to stderr, too.
    """
    with open_target(target, common=common) as app, open_module(app, flow=FlowRecord()) as session:
        prompt = _render_whole_prompt(app.target.ghost, session=session)
    write_out(escape(prompt.rstrip("\n")) + "\n")
    if with_tokens:
        write_note(f"about {count_tokens(prompt)} tokens (an approximation of cl100k), {len(prompt)} characters")


def _render_whole_prompt(ghost: Ghost, *, session: ModuleSession) -> str:
    match ghost:
        case MossAgent():
            system = render_system(ghost, module_prompt=session.prompt())
            values, injected = session.values(), session.injected_prompts()
            if not (values or injected):  # the time alone would only make each print another one
                return system
            return f"{system}\n\n{render_state(values, now=utc_now().astimezone(local_zone()), injected=injected)}"
        case Chatbot():
            return render_identity(ghost.name, persona=ghost.persona, instruction=ghost.instruction)
        case _:
            return session.prompt()


def run_code(target: str, *, common: Common, code: str, timeout_s: float | None, is_json: bool) -> int:
    """Run code in the context of a target, as a ghost would.

    Args:
        target: What the user pointed at.
        common: The shared options.
        code: The file that holds the code; `-` reads it from stdin.
        timeout_s: Longest run, seconds; None is the workspace's setting.
        is_json: Print one JSON object.

    Returns:
        The exit status: 1 when the code failed, 130 after Ctrl-C.
    """
    text = _read_code(code)
    with open_target(target, common=common) as app, open_module(app, flow=FlowRecord()) as session:
        limit_s = get_settings(app.container).settings.code.timeout_s if timeout_s is None else timeout_s
        with counting_ctrl_c() as pressed:
            result = session.run(text, timeout_s=limit_s)
        profile = make_profile(app.container, module=app.target.module)
    if is_json:
        write_out_line(_encode(result, profile=profile))
    else:
        _print_result(result, profile=profile)
    if pressed:
        return INTERRUPTED_STATUS
    return 0 if result.status == "ok" else 1


def _read_code(code: str) -> str:
    if code == "-":
        return read_stdin("The code")
    try:
        return Path(code).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"The code in {code} cannot be read: {getattr(exc, 'strerror', None) or exc}.",
            advice="Give a file of Python, or - to read it from stdin.",
        ) from exc


def _encode(result: RunResult, *, profile: JsonObject) -> bytes:
    return msgspec.json.encode(
        {
            "status": result.status,
            "returns": result.returns,
            "std_output": result.std_output,
            "error": result.error,
            "calls": [asdict(call) for call in result.calls],
            "profile": profile,
        }
    )


def _print_result(result: RunResult, *, profile: JsonObject) -> None:
    write_note(escape_line(f"[no model | {describe_profile(profile)}]"))
    if result.std_output:
        write_out(escape(result.std_output.rstrip("\n")) + "\n")
    if result.returns_text:
        write_out(f"returned: {escape(result.returns_text)}\n")
    for note in result.notes:
        write_note(f"note: {escape(note)}")
    if result.error:
        write_note(f"error: {escape(result.error)}")
