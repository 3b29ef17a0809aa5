"""The readme's `Use In Python`, as printed but for its dots, wherever Python runs."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ghostos.testing import ModelServer

SEED = Path(__file__).parent / "seeds" / "readme.md"
REPLY = "Hello, I am JoJo."


def snippet() -> str:
    text = SEED.read_text(encoding="utf-8")
    code = re.search(r"## Use In Python\n+```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    filled = code[1].replace("make_app_container(...)", "make_app_container()")
    return filled.replace("my_chatbot: Chatbot = ...", 'my_chatbot: Chatbot = Chatbot("JoJo")')


IN_A_THREAD = """
import threading
def work():
    exec(SNIPPET, {})
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""

IN_THE_THREAD_POOL_OF_A_RUNNING_LOOP = """
import asyncio
def work():
    exec(SNIPPET, {})
asyncio.run(asyncio.to_thread(work))
"""

ON_A_RUNNING_LOOP = """
import asyncio
async def main():
    exec(SNIPPET, {})
asyncio.run(main())
"""

IN_A_KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
printed = []
def hook(message):
    if message["msg_type"] == "stream":
        printed.append(message["content"]["text"])
    if message["msg_type"] == "error":
        printed.append("\\n".join(message["content"]["traceback"]))
client.execute_interactive(SNIPPET, output_hook=hook, timeout=60)
print("".join(printed))
client.stop_channels()
manager.shutdown_kernel()
"""

IN_A_STREAMLIT_SCRIPT = """
import io, contextlib
from streamlit.testing.v1 import AppTest
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    app = AppTest.from_string(SNIPPET, default_timeout=60).run()
assert not app.exception, app.exception
print(printed.getvalue())
"""


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exec(SNIPPET, {})", id="script"),
        pytest.param(IN_A_THREAD, id="thread"),
        pytest.param(IN_THE_THREAD_POOL_OF_A_RUNNING_LOOP, id="thread pool"),
        pytest.param(ON_A_RUNNING_LOOP, id="running loop"),
        pytest.param(IN_A_KERNEL, id="kernel", marks=pytest.mark.slow),
        pytest.param(IN_A_STREAMLIT_SCRIPT, id="streamlit", marks=pytest.mark.slow),
    ],
)
def test_use_in_python_runs_as_printed_and_the_process_exits_by_itself(tmp_path, script):
    with ModelServer([REPLY]) as server:
        ended = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:ghostos", "-c", f"SNIPPET = {snippet()!r}\n{script}"],
            env={
                **os.environ,
                "GHOSTOS_WORKSPACE": str(tmp_path / "workspace"),
                "OPENAI_API_KEY": "a-key",
                "OPENAI_BASE_URL": server.base_url,
                "IPYTHONDIR": str(tmp_path / "ipython"),
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert REPLY in ended.stdout.replace("\n", "")
    assert "Traceback" not in ended.stderr


def test_the_snippet_with_its_dots_says_what_to_do(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "from ghostos.bootstrap import *; make_app_container(...)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "TypeError: make_app_container(...) got a literal Ellipsis: leave it out" in ended.stderr


def test_the_default_container_makes_nothing(tmp_path):
    code = """
        from ghostos.bootstrap import get_container
        from ghostos_moss import MossCompiler
        compiler = get_container().force_fetch(MossCompiler)
        assert compiler is not get_container().force_fetch(MossCompiler)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert list(tmp_path.iterdir()) == []
