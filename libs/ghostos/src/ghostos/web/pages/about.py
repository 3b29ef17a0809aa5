"""The page about what is served: its version and place, who answers, how code runs, licences, and where help is."""

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import streamlit as st

from ghostos.config import AppSettings
from ghostos.errors import GhostOSError
from ghostos.libraries.diagnosis import Finding, FindingState, examine
from ghostos.libraries.documents import list_documents
from ghostos.libraries.licences import list_libraries
from ghostos.web.app import WebApp
from ghostos.web.markdown import plain
from ghostos.web.page_parts import titled
from ghostos.web.running import get_app

__all__ = ["draw_about_page"]

_LABEL_WIDTH: Final = 130
_FINDINGS: Final = "about-findings"
_DISTRIBUTION: Final = "ghostos-core"
_SCRIPT_LICENCES: Final = Path(__file__).parents[1] / "static" / "vendor" / "LICENSES.txt"
_LICENCES_HEIGHT: Final = 320
_ICONS: Final[dict[FindingState, str]] = {
    "ok": ":green[:material/check_circle:]",
    "note": ":orange[:material/info:]",
    "broken": ":red[:material/error:]",
}


def draw_about_page() -> None:
    """Draw what is served here. No key is on the page, only the names of variables that may hold one."""
    app = get_app()
    with titled("About"):
        st.markdown(
            "GhostOS gives a language model your Python objects: a Python file is an agent, and the model answers by "
            "writing Python against what is injected into it."
        )
        _draw_facts(app)
        _draw_examination(app)
        _draw_documents()
        _draw_help()
        _draw_licences()


def _draw_facts(app: WebApp) -> None:
    box = st.container(border=True, gap="xsmall")
    facts = [
        ("GhostOS", _find_version()),
        ("Python", f"{platform.python_version()} at {sys.executable}"),
        ("System", platform.platform(terse=True)),
        ("Target", app.target.name),
        ("Workspace", str(app.matrix.container.force_fetch(AppSettings).workspace.root)),
        ("Answers", _describe_answering(app)),
        ("Code", app.describe_profile() or "this agent runs none"),
    ]
    for label, value in facts:
        row = box.container(horizontal=True, gap="small", wrap=False)
        row.markdown(f":gray[{label}]", width=_LABEL_WIDTH)
        row.markdown(plain(value), width="stretch")


def _find_version() -> str:
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return f"{_DISTRIBUTION} is not installed"


def _describe_answering(app: WebApp) -> str:
    try:
        return app.describe_model().who
    except GhostOSError as exc:
        return exc.happened


def _draw_examination(app: WebApp) -> None:
    """Offer what `ghostos doctor` looks at; it starts a process to try the confinement, so it is asked for."""
    _head("This installation")
    if st.button("Examine it", key="about-examine", icon=":material/stethoscope:", help="The same as: ghostos doctor"):
        workspace = app.matrix.container.force_fetch(AppSettings).workspace
        with st.spinner("Looking at it…"):
            st.session_state[_FINDINGS] = list(examine(workspace, model=app.target.ghost.model))
    findings: Sequence[Finding] = st.session_state.get(_FINDINGS, ())
    for finding in findings:
        found = plain(finding.text)
        text = f"{_ICONS[finding.state]} **{plain(finding.subject)}** {found}"
        advice = f"  \n{plain(finding.advice)}" if finding.advice else ""
        st.markdown(text + advice)


def _draw_documents() -> None:
    _head("Documentation")
    documents = list_documents()
    if not documents:
        st.markdown("`ghostos docs` prints the readme.")
        return
    st.markdown("On this machine:")
    with st.container(gap="xsmall"):
        for document in documents:
            where = plain(str(document.path))
            st.markdown(f"{plain(document.title)}  \n:small[:gray[{where}]]")


def _draw_help() -> None:
    _head("Help")
    st.markdown(
        "- `ghostos help` lists all commands, `ghostos help COMMAND` what one takes.\n"
        "- `ghostos doctor` says what is missing here, and what to do about it.\n"
        "- The log of this workspace is in its folder `runtime/logs`; `--debug` puts tracebacks into the page.\n"
        "- A fault is reported in the repository that GhostOS came from, one of its security as `SECURITY.md` says."
    )


def _draw_licences() -> None:
    _head("Licences")
    st.markdown("GhostOS is under the MIT licence. It is built on:")
    with st.expander("Python libraries", key="about-libraries"):
        lines = [
            f"- **{plain(library.name)}** {plain(library.version)}"
            f" :gray[{plain(library.licence) or 'licence: see its package'}]"
            for library in list_libraries()
        ]
        st.markdown("\n".join(lines))
    if _SCRIPT_LICENCES.is_file():
        with st.expander("JavaScript of the page", key="about-scripts"):
            text = _SCRIPT_LICENCES.read_text(encoding="utf-8")
            st.code(text, language=None, wrap_lines=True, height=_LICENCES_HEIGHT)


def _head(title: str) -> None:
    st.markdown(f"#### {title}", anchors=False)
