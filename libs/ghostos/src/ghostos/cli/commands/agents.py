"""Commands that talk with an agent: `web`, `console`, `ask`."""

from pathlib import Path
from typing import Annotated

import typer

from ghostos.cli.options import (
    ApproveOption,
    Common,
    DebugOption,
    ModelOption,
    Rights,
    TargetArgument,
    ThreadArgument,
    ThreadOption,
    WorkspaceOption,
    examples,
    takes_rights,
)
from ghostos.core.collector import collector_paused


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        "web", epilog=examples("ghostos web my.py", "ghostos web ghostos.demo.agents.shop --port 8600 --headless")
    )(takes_rights(web))
    app.command(
        "console",
        epilog=examples("ghostos console my.py", "ghostos console my.py --thread notes --model deepseek:deepseek-chat"),
    )(takes_rights(console))
    app.command(
        "ask",
        epilog=examples(
            'ghostos ask my.py "what is 2 plus 3?"',
            'ghostos ask my.py "and times 4?" --thread t-3f9c1a2b',
            "git diff | ghostos ask review.py - --json > messages.jsonl",
        ),
    )(takes_rights(ask))
    app.command(
        "send",
        epilog=examples(
            'ghostos send t-3f9c1a2b input "and in German?"',
            "ghostos send t-3f9c1a2b approve --id 0199…",
            "ghostos send t-3f9c1a2b edit --id 0199… --code mine.py",
            'ghostos send t-3f9c1a2b external \'{"door": "open"}\' --no-wait',
        ),
    )(takes_rights(send))


def web(  # noqa: PLR0913 - as below
    target: TargetArgument,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; the next free one if taken.")] = 8501,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where it listens; 0.0.0.0 lets other machines reach it.")
    ] = "127.0.0.1",
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.", show_default=False)] = False,
    thread: ThreadOption = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
    approve: ApproveOption = None,
    rights: Rights,
    debug: DebugOption = False,
) -> None:
    """Talk with a Python file in the browser.

    The page is served until Ctrl-C, to this machine only unless --host says otherwise.
    """
    from ghostos.cli.serving import serve_page

    common = Common(workspace=workspace, model=model, thread=thread, rights=rights, approve=approve, is_debug=debug)
    serve_page(target, common=common, host=host, port=port, headless=headless)


def console(
    target: TargetArgument,
    *,
    thread: ThreadOption = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
    approve: ApproveOption = None,
    rights: Rights,
    debug: DebugOption = False,
) -> None:
    """Chat with a Python file in the terminal.

    /help says what can be typed. Ctrl-C stops a turn, Ctrl-D leaves; the thread is kept.
    """
    with collector_paused():
        from ghostos.cli.console import chat

    chat(
        target,
        common=Common(workspace=workspace, model=model, thread=thread, rights=rights, approve=approve, is_debug=debug),
    )


def ask(  # noqa: PLR0913 - Typer reads options off the signature
    target: TargetArgument,
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="What to say; - reads it from stdin.", show_default=False)
    ],
    *,
    thread: ThreadOption = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
    approve: ApproveOption = None,
    rights: Rights,
    json: Annotated[
        bool, typer.Option("--json", help="Print whole messages, one JSON object a line.", show_default=False)
    ] = False,
    deltas: Annotated[
        bool, typer.Option("--deltas", help="With --json: text as it comes, too.", show_default=False)
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Send one message and print the answer.

    The answer goes to stdout as it comes; code, its output and remarks go to stderr. The exit status is 0
    when the turn came to its end, 1 when it failed.
    """
    with collector_paused():
        from ghostos.cli.asking import ask

    common = Common(workspace=workspace, model=model, thread=thread, rights=rights, approve=approve, is_debug=debug)
    ask(target, message, common=common, is_json=json, with_deltas=deltas)


def send(  # noqa: PLR0913 - as above
    thread: ThreadArgument,
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="input, steer, approve, edit, reject, cancel or external.", show_default=False
        ),
    ],
    content: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT]",
            help="What is said; JSON for external; why, for reject and cancel. - reads it from stdin.",
            show_default=False,
        ),
    ] = None,
    *,
    code_id: Annotated[
        str | None, typer.Option("--id", help="Which code is approved, edited or rejected.", show_default=False)
    ] = None,
    code: Annotated[
        Path | None, typer.Option("--code", metavar="FILE", help="With edit: what runs instead.", show_default=False)
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Store it, and do not work on it here.", show_default=False)
    ] = False,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
    approve: ApproveOption = None,
    rights: Rights,
    json: Annotated[
        bool, typer.Option("--json", help="Print whole messages, one JSON object a line.", show_default=False)
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Send a thread an event from outside, and print the turn that comes of it.

    steer joins the turn that runs; approve, edit and reject answer code that waits (--approve code); cancel stops the
    turn that runs, in whatever process.
    """
    from ghostos.cli.sending import Sending, send

    common = Common(workspace=workspace, model=model, rights=rights, approve=approve, is_debug=debug)
    sending = Sending(event=event, content=content, code_id=code_id, code_file=code, waits=not no_wait)
    send(thread, sending, common=common, is_json=json)
