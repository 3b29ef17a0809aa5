"""`ghostos docs`: where the documentation is."""

from importlib.metadata import PackageNotFoundError, metadata

from ghostos.cli.streams import write_out
from ghostos.errors import NotConfiguredError
from ghostos.libraries.documents import list_documents

_DISTRIBUTION = "ghostos-core"


def print_documents() -> None:
    """Print the documents of the clone that this is installed from; without one, the package's readme.

    Raises:
        NotConfiguredError: Neither can be found.
    """
    documents = list_documents()
    write_out("".join(f"{each.path}\n    {each.title}\n" for each in documents) or _read_readme())


def _read_readme() -> str:
    try:
        found = metadata(_DISTRIBUTION)
    except PackageNotFoundError as exc:
        raise NotConfiguredError(
            f"The package {_DISTRIBUTION} is not installed: its readme is not to be had.",
            advice="Install it; from a clone: make setup",
        ) from exc
    return found["Description"]
