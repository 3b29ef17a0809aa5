"""Commands on settings and keys: `config` and its `get`, `set`, `unset`, `key`, `test`."""

from typing import Annotated

import typer

from ghostos.cli.options import Common, DebugOption, ModelOption, WorkspaceOption, examples
from ghostos.errors import UsageError

_HELP = """\
Show what is in force and who says so; change settings, keep and test keys.

A flag goes before the environment, the environment before the workspace's files. Keys are named, never shown.
"""

NameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="As ghostos config --all lists them: code.timeout_s.", show_default=False),
]
ServiceArgument = Annotated[
    str, typer.Argument(metavar="SERVICE", help="openai, deepseek, moonshot, or one of yours.", show_default=False)
]


def make_group() -> typer.Typer:
    """Return the group of commands; alone it shows what is in force."""
    group = typer.Typer(
        help=_HELP,
        epilog=examples("ghostos config", "ghostos config --all", "ghostos config key openai"),
        invoke_without_command=True,
    )
    group.callback()(show)
    group.command(
        "get", epilog=examples("ghostos config get default_model", "ghostos config get code.permissions.read")
    )(get_one)
    group.command(
        "set",
        epilog=examples(
            "ghostos config set default_model deepseek:deepseek-chat",
            "ghostos config set code.timeout_s 60",
            "ghostos config set code.permissions.net api.example.com,other.org",
            "ghostos config set models.openai:gpt-4.1.input_price 2.00",
            "ghostos config set services.mine.base_url http://127.0.0.1:8000/v1",
        ),
    )(set_one)
    group.command(
        "unset", epilog=examples("ghostos config unset code.timeout_s", "ghostos config unset services.mine")
    )(unset)
    group.command(
        "key",
        epilog=examples(
            "ghostos config key openai",
            "pass show openai | ghostos config key openai -",
            "ghostos config key openai --remove",
        ),
    )(key)
    group.command(
        "test",
        epilog=examples("ghostos config test", "ghostos config test deepseek", "ghostos config test openai:gpt-4o"),
    )(test)
    return group


def show(
    context: typer.Context,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every setting, defaults too.", show_default=False)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.", show_default=False)] = False,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    debug: DebugOption = False,
) -> None:
    """See the group's help."""
    if context.invoked_subcommand is not None:
        if all_ or as_json or workspace or model:
            words = f"ghostos config {context.invoked_subcommand}"
            raise UsageError(f"Options of {words} stand behind it.", advice=f"See: {words} --help")
        return
    from ghostos.cli.configuring import show_configuration

    common = Common(workspace=workspace, model=model, is_debug=debug)
    show_configuration(common=common, with_defaults=all_, as_json=as_json)


def get_one(
    name: NameArgument, *, workspace: WorkspaceOption = None, model: ModelOption = None, debug: DebugOption = False
) -> None:
    """Print the value of one setting that counts.

    Nothing else is printed: it is for programs.
    """
    from ghostos.cli.configuring import show_setting

    show_setting(name, common=Common(workspace=workspace, model=model, is_debug=debug))


def set_one(
    name: NameArgument,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A number, a word, true or false, or a,b,c.", show_default=False)
    ],
    *,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Change a setting.

    It is checked before it is stored; comments and all else in configs/ghostos.toml stay as they are.
    """
    from ghostos.cli.configuring import set_setting

    set_setting(name, value, common=Common(workspace=workspace, is_debug=debug))


def unset(name: NameArgument, *, workspace: WorkspaceOption = None, debug: DebugOption = False) -> None:
    """Take a setting out of the file.

    A whole group, too. Its default counts again.
    """
    from ghostos.cli.configuring import unset_setting

    unset_setting(name, common=Common(workspace=workspace, is_debug=debug))


def key(
    service: ServiceArgument,
    source: Annotated[
        str, typer.Argument(metavar="-", help="Read the key from stdin. Otherwise you are asked.", show_default=False)
    ] = "",
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the stored key.", show_default=False)] = False,
    store_anyway: Annotated[
        bool, typer.Option("--store-anyway", help="Keep it also when it could not be tested.", show_default=False)
    ] = False,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Keep the key of a service in the workspace's .env.

    It is asked for without showing it, tested with the service, and stored for you alone.
    """
    from ghostos.cli.configuring import forget_key, keep_key

    common = Common(workspace=workspace, is_debug=debug)
    if remove:
        forget_key(service, common=common)
    else:
        keep_key(service, source=source, store_anyway=store_anyway, common=common)


def test(
    model: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE[:MODEL]", help="Otherwise the default model and its service.", show_default=False
        ),
    ] = "",
    *,
    workspace: WorkspaceOption = None,
    debug: DebugOption = False,
) -> None:
    """Ask a service whether it takes its key, and knows the model.

    Where a service has no list of its models, or shows it to everybody, one token of a reply is asked for.
    """
    from ghostos.cli.configuring import test_service

    test_service(model, common=Common(workspace=workspace, is_debug=debug))
