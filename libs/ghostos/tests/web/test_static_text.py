"""Markdown and code in the live pane: what models write is shown, and only shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .static_site import STATIC, serve_static

ROOT = Path(__file__).parents[4]
ARTIFACTS = ROOT / "test-artifacts" / "web"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>text</title>
<link rel="icon" href="data:,">
<style>body { margin: 0; padding: 24px; background: light-dark(#fff, #0e1117); }</style>
<div id="host"></div>
<script type="module">
import { CodeView } from "/code_view.js";
import { MarkdownView, renderMarkdown } from "/markdown.js";
import { showHidden } from "/safe_text.js";
const root = document.querySelector("#host").attachShadow({ mode: "open" });
const clear = () => {
  root.innerHTML = '<link rel="stylesheet" href="/text.css"><main></main>';
  return root.querySelector("main");
};
const add = () => root.querySelector("main").appendChild(document.createElement("section"));
const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
Object.assign(window, { CodeView, MarkdownView, renderMarkdown, showHidden, root, clear, add, nextFrame });
</script>
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_static(PAGE) as served:
        yield served


@pytest.fixture(scope="module")
def context(chromium: Any, address: str) -> Iterator[Any]:
    opened = chromium.new_context(viewport={"width": 900, "height": 1200})
    opened.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: Any, address: str) -> Iterator[Any]:
    """A page with the modules in it. A dialog, an error or a request that a text causes fails the test."""
    tab = context.new_page()
    unwanted: list[str] = []
    tab.on("dialog", lambda dialog: (unwanted.append(f"dialog {dialog.message}"), dialog.dismiss()))
    tab.on("pageerror", lambda error: unwanted.append(f"error {error}"))
    tab.goto(address)
    tab.wait_for_function("window.clear")
    tab.evaluate("clear()")
    tab.wait_for_function("root.querySelector('link').sheet")
    tab.on("request", lambda sent: unwanted.append(f"request {sent.url}"))
    yield tab
    tab.evaluate("nextFrame()")
    assert tab.evaluate("window.pwned") is None
    assert not unwanted
    assert len(context.pages) == 1
    tab.close()


def show(page: Any, text: str) -> str:
    """Show a finished message; return its HTML."""
    return str(
        page.evaluate(
            """text => { const element = add(); new MarkdownView(element).set(text, { isFinal: true });
            return element.innerHTML }""",
            text,
        )
    )


def shown_text(page: Any) -> str:
    return str(page.evaluate("root.querySelector('main').lastElementChild.innerText"))


def test_the_libraries_are_those_of_the_lock_come_with_licences_and_stay_small() -> None:
    folder = STATIC / "vendor"
    versions = json.loads((folder / "versions.json").read_text())
    lock = json.loads((ROOT / ".ci" / "vendor" / "package-lock.json").read_text())["packages"]
    licences = (folder / "LICENSES.txt").read_text()

    assert {"dompurify", "highlight.js", "markdown-it"} <= set(versions)
    assert versions == {name: lock[f"node_modules/{name}"]["version"] for name in versions}
    assert all(f"{name} {version}: " in licences for name, version in versions.items())
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 300 * 1024


HOSTILE = [
    "<script>pwned=1</script>",
    "<ScRiPt>pwned=1</sCrIpT >",
    "<img src=x onerror=pwned=1>",
    '<img src="/x.png" onerror="alert(1)">',
    "<svg onload=pwned=1><animate onbegin=pwned=1>",
    "<svg><style><img src=x onerror=pwned=1></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=pwned=1&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=pwned=1>",
    "<noscript><p title='</noscript><img src=x onerror=pwned=1>'>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<body onload=pwned=1><details open ontoggle=pwned=1>x</details>",
    "<a href='javascript:pwned=1' id=root name=clear>click</a>",
    "<style>* { background: url(/stolen) }</style><link rel=stylesheet href=/stolen><base href=//elsewhere>",
    "a <b onmouseover=pwned=1>b</b>\n\n<div style='background:url(/stolen)'>c</div>",
    "> - <img src=x onerror=pwned=1>\n\n| <script>pwned=1</script> |\n|---|\n| <img src=x onerror=pwned=1> |",
    "```html\n<script>pwned=1</script><img src=x onerror=pwned=1>\n```",
    "```html\n</code></pre><img src=x onerror=pwned=1>\n```",
    '```"><img/src=x/onerror=pwned=1>\ncode\n```',
    "`<img src=x onerror=pwned=1>` and `` </code><script>pwned=1</script> ``",
    "&lt;img src=x onerror=pwned=1&gt; &#60;script&#62;pwned=1&#60;/script&#62;",
    '[x]: http://a.b/"><img/src=x/onerror=pwned=1>\n\n[x] [x][<img src=x onerror=pwned=1>]',
    '[a](http://a.b/ "\\"><img src=x onerror=pwned=1>")',
    '![<img src=x onerror=pwned=1>](http://a.b/"onerror="pwned=1)',
    'http://a.b/"onmouseover="pwned=1" <http://a.b/\'onclick=\'pwned=1>',
    "<!--><img src=x onerror=pwned=1>--> <![CDATA[<img src=x onerror=pwned=1>]]> <?php <img src=x onerror=pwned=1> ?>",
    "\x00<scr\x00ipt>pwned=1</script>",
]


TAGS = {"p", "a", "pre", "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "blockquote"}
ATTRIBUTES = {"class", "dir", "href", "rel", "target", "tabindex"}
PARTS = """() => [...new Set([...root.querySelectorAll("main > section *")].flatMap(
    ({ localName, attributes }) => [localName, ...[...attributes].map(({ name }) => `${localName} ${name}`)]))]"""


def touch_everything(page: Any) -> None:
    """Do what sets off handlers: point at it, click it, give it the focus."""
    page.evaluate(
        """() => root.querySelectorAll("main > section *").forEach((element) => {
          for (const name of ["mouseover", "mouseenter", "focus", "load", "error", "toggle", "animationstart"]) {
            element.dispatchEvent(new Event(name));
          }
          element.addEventListener("click", (event) => element.href?.startsWith("http") && event.preventDefault());
          element.click();
        })"""
    )


@pytest.mark.browser
@pytest.mark.parametrize("text", HOSTILE)
def test_html_of_a_model_is_shown_and_does_nothing(page: Any, text: str) -> None:
    html = show(page, text)
    page.evaluate("text => { add().innerHTML = renderMarkdown(text) }", text)
    page.evaluate(
        """text => { const view = new MarkdownView(add());
        for (let end = 1; end <= text.length; end++) { view.set(text.slice(0, end)); view.flush() } }""",
        text,
    )
    found = set(page.evaluate(PARTS))
    assert {name for name in found if " " not in name} <= TAGS | {"button"}, html
    attributes = {name for name in found if " " in name and name.split()[1] not in ATTRIBUTES}
    assert attributes <= {"button type", "button aria-label"}, html
    touch_everything(page)


@pytest.mark.browser
@pytest.mark.parametrize("html", HOSTILE)
def test_what_the_parser_might_let_through_is_stopped_behind_it(page: Any, html: str) -> None:
    page.evaluate(
        """async (html) => { const { sanitise } = await import("/sanitising.js");
        add().append(sanitise(html)); add().innerHTML = root.querySelector("section").innerHTML }""",
        html,
    )
    found = set(page.evaluate(PARTS))
    assert {name for name in found if " " not in name} <= TAGS, found
    assert {name.split()[1] for name in found if " " in name} <= ATTRIBUTES, found
    touch_everything(page)


@pytest.mark.browser
def test_tags_are_readable_as_they_were_written(page: Any) -> None:
    show(page, "x <img src=x onerror=pwned=1> y\n\n<script>pwned=1</script>")
    assert shown_text(page).split("\n\n") == ["x <img src=x onerror=pwned=1> y", "<script>pwned=1</script>"]


@pytest.mark.browser
@pytest.mark.parametrize(
    "link",
    [
        "javascript:pwned=1",
        "JaVaScRiPt:pwned=1",
        "java&#115;cript:pwned=1",
        "&#x6A;avascript&colon;pwned=1",
        "javascript&#58;pwned=1",
        "%6Aavascript:pwned=1",
        "<java\tscript:pwned=1>",
        "<\x01javascript:pwned=1>",
        "vbscript:pwned=1",
        "data:text/html,<script>pwned=1</script>",
        "DATA:text/html;base64,PHNjcmlwdD5wd25lZD0xPC9zY3JpcHQ+",
        "blob:null/c",
        "file:///etc/passwd",
        "ftp://a.b/",
        "//a.b/",
        "/ghostos/do/stop",
        "#root",
        "http:/x",
    ],
)
def test_a_link_elsewhere_than_to_the_web_is_text(page: Any, link: str) -> None:
    texts = [
        f"[click]({link})",
        f"[click][1]\n\n[1]: {link}",
        f"<{link.strip('<>')}>",
        f"[![click]({link})]({link})",
        link,
    ]
    for text in texts:
        html = show(page, text)
        assert "<a" not in html, (text, html)
    show(page, texts[0])
    assert "click" in shown_text(page)
    assert "](" in shown_text(page)


@pytest.mark.browser
def test_links_to_the_web_open_elsewhere_and_tell_nothing(page: Any) -> None:
    html = show(page, "[a](http://a.b/?x=1&y=2 'title') [b](HTTPS://c.d) <mailto:e@f.g> https://h.i/j, www.k.l m.n")
    links = page.locator("section a")
    kept = [
        (link.get_attribute("href"), link.get_attribute("rel"), link.get_attribute("target")) for link in links.all()
    ]

    rest = ("noopener noreferrer nofollow", "_blank")
    wanted = ["http://a.b/?x=1&y=2", "HTTPS://c.d", "mailto:e@f.g", "https://h.i/j"]
    assert kept == [(address, *rest) for address in wanted]
    assert "title" not in html


@pytest.mark.browser
@pytest.mark.parametrize(
    ("text", "shown", "links"),
    [
        ("![a *cat*](http://a.b/c.png)", "[image: a cat]", ["http://a.b/c.png"]),
        ("![plot](plot.png)", "[image: plot]", []),
        ("![x](data:image/png;base64,AAAA)", "[image: x]", []),
        ("![x](javascript:pwned=1)", "[image: x]", []),
        ("[![x](http://a.b/c.png)](http://d.e)", "[image: x]", ["http://d.e"]),
        ("[![x](http://a.b/c.png)](/d)", "[[image: x]](/d)", ["http://a.b/c.png"]),
        ("![x][1]\n\n[1]: http://a.b/c.png", "[image: x]", ["http://a.b/c.png"]),
    ],
)
def test_an_image_is_a_text_that_may_be_followed(page: Any, text: str, shown: str, links: list[str]) -> None:
    show(page, text)
    assert shown_text(page) == shown
    assert [link.get_attribute("href") for link in page.locator("section a").all()] == links


@pytest.mark.browser
def test_markdown_is_drawn_as_markdown(page: Any) -> None:
    html = page.evaluate(
        "text => renderMarkdown(text)",
        "# A\n\nb *c* **d** ~~e~~ `f`\n\n3. g\n   > h\n\n| i | j |\n|:-:|--:|\n| k | l |\n\n```py\nm = 1\n```\n\n---",
    )
    assert html.replace("\n", "") == (
        '<h1 dir="auto">A</h1>'
        '<p dir="auto">b <em>c</em> <strong>d</strong> <s>e</s> <code>f</code></p>'
        '<ol start="3" dir="auto"><li>g<blockquote dir="auto"><p dir="auto">h</p></blockquote></li></ol>'
        '<div class="table" tabindex="0"><table><thead><tr><th dir="auto" class="at-center">i</th>'
        '<th dir="auto" class="at-right">j</th></tr></thead>'
        '<tbody><tr><td dir="auto" class="at-center">k</td><td dir="auto" class="at-right">l</td></tr></tbody>'
        "</table></div>"
        '<pre class="code" dir="ltr"><code class="hljs language-python">'
        '<span class="line">m = <span class="hljs-number">1</span></span></code></pre>'
        "<hr>"
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    "text",
    [
        "a\u202eb",
        "a&#x202E;b",
        "`a\u202eb`",
        "```python\na\u202eb\n```",
        "    a\u202eb",
        "[a\u202eb](http://c.d)",
        "# a\u202eb",
    ],
)
def test_a_character_that_turns_text_round_is_named(page: Any, text: str) -> None:
    html = show(page, text)
    assert "\u202e" not in html
    assert shown_text(page).removesuffix("Copy").strip() == "a\\u202Eb"


@pytest.mark.browser
def test_hidden_characters_are_named_and_letters_of_all_scripts_stay(page: Any) -> None:
    hidden = "\x00\x07\x08\x0b\x1b\x7f\x9f\u200b\u202a\u2066\u2069\ufeff\U000e0041"
    named = page.evaluate("text => showHidden(text)", hidden)
    assert named == "".join(f"\\u{ord(c):04X}" for c in hidden[:-1]) + "\\u{E0041}"
    show(page, f"x{hidden}y")
    assert shown_text(page) == f"x{named}y"

    ordinary = "שלום עולם مرحبا می‌خواهم 👩‍👩‍👧 日本 naïve\ttab"
    assert page.evaluate("text => showHidden(text)", ordinary) == ordinary
    html = show(page, "שלום\n\nhello\n\n- مرحبا")
    assert html.count('dir="auto"') == 3
    directions = (
        "[...root.querySelectorAll('section:last-child > *')].map((block) => getComputedStyle(block).direction)"
    )
    assert page.evaluate(directions) == ["rtl", "ltr", "rtl"]


MEGABYTE = 1_000_000


@pytest.mark.browser
@pytest.mark.parametrize(
    "text",
    [
        "word *word* <b>\n" * (MEGABYTE // 16),
        "x" * MEGABYTE,
        "\U0001f600" * (MEGABYTE // 4),
        "```python\n" + "x = 'y'\n" * (MEGABYTE // 8),
        ">" * 100_000,
        "[" * 100_000,
        "*" * 100_000,
        "![" * 50_000,
        "\u202e" * MEGABYTE,
    ],
    ids=["1 MB", "a line of 1 MB", "smileys", "code of 1 MB", "quotes", "brackets", "stars", "images", "turned round"],
)
def test_a_text_that_is_too_large_is_shown_as_it_stands(page: Any, text: str) -> None:
    # A tab that hangs runs into the test's own time-out.
    page.evaluate("text => { new MarkdownView(add()).set(text, { isFinal: true }); root.host.offsetHeight }", text)
    plain = page.locator("section > pre.plain")
    assert plain.evaluate("(pre, text) => pre.textContent === showHidden(text)", text)
    assert page.locator("section > *").count() == 1


@pytest.mark.browser
@pytest.mark.parametrize(
    "piece",
    [
        "> ",
        "*a ",
        "_a ",
        "[a](",
        "![",
        "`a``b",
        "- ",
        "&lt;",
        "http://",
        "| a ",
        "~~a",
        "</p><svg>",
        "[a][b]",
        "# a\n",
        "\u202e",
    ],
)
def test_nothing_within_the_limits_hangs_the_tab(page: Any, piece: str) -> None:
    one_line = piece * (19_999 // len(piece))
    lines = ((piece * (900 // len(piece))) + "\n") * 100
    for text in (one_line, lines):
        assert page.evaluate("text => renderMarkdown(text).length", text)  # else the test's own time-out comes


@pytest.mark.browser
def test_a_large_text_grows_by_what_comes(page: Any) -> None:
    assert page.evaluate(
        """async () => {
          const view = new MarkdownView(add());
          const text = "some words of a text that does not end\\n".repeat(25_000);
          for (let end = 200_000; end <= text.length; end += 500) view.set(text.slice(0, end));
          view.set(text, { isFinal: true });
          return root.querySelector("pre.plain").textContent === text;
        }"""
    )


STORY = """# Title

A paragraph with *emphasis*, `code` and a [link](http://a.b) over
two lines
- a list
- that goes on

  with a paragraph

- and ends

1. one
2. two
   ```python
   x = 1

   y = 2
   ```

Text
===

| a | b |
|---|:-:|
| 1 | `2` |
| 3 | 4
- x
---
para
a | b
-|-
1 | 2

Here it is:
```python
def f(x):
    '''Doc

    string'''
    return "x"  # why
```
after it
> quote
lazy
> more

> another

    indented

    code

~~~
```
~~~
* * *
#
#x
**bold
over lines** and ![image](http://a.b/c.png)

words
#tag
words
-x
words
c | d
-|-x

[b]: http://a.b
"a title
of two lines"

and [b]

another, of [b]
again

```js
let unclosed = `a

b`
"""


@pytest.mark.browser
@pytest.mark.parametrize("stride", [1, 7, 40])
def test_a_growing_message_is_at_every_step_what_its_text_is(page: Any, stride: int) -> None:
    differing = page.evaluate(
        """([text, stride]) => {
          const element = add();
          const view = new MarkdownView(element);
          const differing = [];
          for (let end = 1; end <= text.length; end += stride) {
            view.set(text.slice(0, end));
            view.flush();
            const grown = element.cloneNode(true);
            grown.querySelectorAll(".code-block").forEach((block) => block.replaceWith(block.firstElementChild));
            const whole = document.createElement("div");
            whole.innerHTML = renderMarkdown(text.slice(0, end));
            [...whole.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).forEach((node) => node.remove());
            const [is, wanted] = [grown.innerHTML, whole.innerHTML];
            if (is !== wanted) differing.push([text.slice(0, end), is, wanted]);
          }
          return differing.slice(0, 2);
        }""",
        [STORY, stride],
    )
    assert differing == []


@pytest.mark.browser
def test_a_long_message_in_300_chunks_comes_to_what_it_is_as_a_whole(page: Any) -> None:
    section = STORY.rsplit("```js", 1)[0]
    text = "".join(section.replace("Title", f"Title {i}") for i in range(50_000 // len(section) + 1))
    assert page.evaluate(
        """async (text) => {
          const grown = add();
          const view = new MarkdownView(grown);
          const size = Math.ceil(text.length / 300);
          for (let end = size; end < text.length + size; end += size) {
            view.set(text.slice(0, end));
            await nextFrame();
          }
          view.set(text, { isFinal: true });
          const whole = add();
          new MarkdownView(whole).set(text, { isFinal: true });
          return grown.innerHTML === whole.innerHTML;
        }""",
        text,
    )


@pytest.mark.browser
def test_what_stands_is_left_alone_while_a_message_grows(page: Any) -> None:
    kept = page.evaluate(
        """() => {
          const element = add();
          const view = new MarkdownView(element);
          const first = "A paragraph.\\n\\n```python\\nx = 1\\ny = 2\\n```\\n\\n";
          view.set(first + "And");
          const before = [...element.querySelectorAll("*")].slice(0, -1);
          const words = element.firstElementChild.firstChild;
          root.getSelection?.().setBaseAndExtent(words, 2, words, 6);
          for (const more of ["And more", "And more\\n\\n- a", "And more\\n\\n- a\\n- b\\n\\nend"]) {
            view.set(first + more);
            view.flush();
          }
          view.set(first + "And more\\n\\n- a\\n- b\\n\\nend", { isFinal: true });
          const now = [...element.querySelectorAll("*")];
          return [before.length > 5, before.every((node, at) => node === now[at]), String(root.getSelection())];
        }"""
    )
    assert kept == [True, True, "para"]


@pytest.mark.browser
def test_growing_code_keeps_the_lines_that_stand(page: Any) -> None:
    kept = page.evaluate(
        """() => {
          const element = add();
          const view = new MarkdownView(element);
          view.set("Code:\\n```python\\nx = 1\\ny");
          const line = element.querySelector(".line");
          view.set("Code:\\n```python\\nx = 1\\ny = 2\\nz = 3");
          view.set("Code:\\n```python\\nx = 1\\ny = 2\\nz = 3\\n```\\n\\nText");
          view.set("Code:\\n```python\\nx = 1\\ny = 2\\nz = 3\\n```\\n\\nText.", { isFinal: true });
          return [line === element.querySelector(".line"), element.querySelectorAll(".line").length];
        }"""
    )
    assert kept == [True, 3]


@pytest.mark.browser
def test_a_link_that_is_defined_below_is_one_in_the_end(page: Any) -> None:
    text = "See [a].\n\nMore.\n\n[a]: http://a.b/\n"
    page.evaluate(
        """text => { const view = new MarkdownView(add());
        for (let end = 1; end <= text.length; end++) view.set(text.slice(0, end));
        view.set(text, { isFinal: true }) }""",
        text,
    )
    assert page.locator("section a").get_attribute("href") == "http://a.b/"


@pytest.mark.browser
def test_another_text_replaces_the_one_before(page: Any) -> None:
    texts = ["# One\n\ntext\n\nmore", "Two", "x" * 200_000, "```py\nx\n```", ""]
    html = page.evaluate(
        """texts => { const element = add(); const view = new MarkdownView(element);
        return texts.map((text) => { view.set(text); view.flush(); return element.innerHTML }) }""",
        texts,
    )
    assert html[1] == '<p dir="auto">Two</p>'
    assert html[3].startswith('<div class="code-block"><pre')
    assert html[4] == ""


def make_code(page: Any, text: str, **options: str) -> Any:
    page.evaluate(
        """([text, options]) => { window.view = new CodeView(add(), options); view.set(text, { isFinal: true }) }""",
        [text, options],
    )
    return page.locator("section").last


@pytest.mark.browser
def test_the_running_line_moves(page: Any) -> None:
    code = make_code(page, "a = 1\nb = 2\n", language="python", label="code")
    running = code.locator(".line.running")
    seen: list[list[str]] = []
    for line in (1, 2, None, 4):
        page.evaluate("line => view.setLine(line)", line)
        seen.append([str(text) for text in running.all_inner_texts()])
    assert [[text.strip() for text in texts] for texts in seen] == [["a = 1"], ["b = 2"], [], []]
    page.evaluate("view.set('a = 1\\nb = 2\\nc = 3\\nd = 4')")
    assert running.all_inner_texts() == ["d = 4"]
    assert running.get_attribute("class") == "line running"
    assert running.get_attribute("aria-current") == "step"


@pytest.mark.browser
def test_the_copy_button_copies_what_was_written(page: Any) -> None:
    written = 'a = "\u202e<b>&amp;"\n\n\tb = 2\n'
    code = make_code(page, written, language="python", label="your <code>")
    button = code.get_by_role("button", name="Copy code: your <code>")
    button.click()
    code.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == written
    button.wait_for()

    show(page, f"Look:\n```python\n{written}```")
    page.get_by_role("button", name="Copy code", exact=True).click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == written.removesuffix("\n")


@pytest.mark.browser
def test_code_can_be_copied_where_there_is_no_clipboard(page: Any) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    code = make_code(page, "x = 1", label="code")
    button = code.get_by_role("button")
    button.click()
    code.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "x = 1"
    assert button.evaluate("button => root.activeElement === button")


@pytest.mark.browser
@pytest.mark.parametrize("language", ["python", "", "no such <language>", "markdown", "html"])
def test_code_that_grows_comes_to_what_it_is_as_a_whole(page: Any, language: str) -> None:
    text = "def f():\n    '''Doc\n\n    <b>more\u202e'''\n    return {'a': `1`}\n\n<p class='x'>\n# end\r\n**x\n" * 3
    same = page.evaluate(
        """([text, language]) => {
          const grown = add();
          const view = new CodeView(grown, { language });
          for (let end = 0; end < text.length; end++) view.set(text.slice(0, end));
          view.set(text, { isFinal: true });
          const whole = add();
          new CodeView(whole, { language }).set(text, { isFinal: true });
          const lines = text.replaceAll("\\r\\n", "\\n");
          return [grown.innerHTML === whole.innerHTML, grown.querySelector("code").textContent === showHidden(lines)];
        }""",
        [text, language],
    )
    assert same == [True, True]


@pytest.mark.browser
def test_colours_end_after_2000_lines_and_lines_do_not(page: Any) -> None:
    counted = page.evaluate(
        """() => {
          const element = add();
          const view = new CodeView(element, { language: "python" });
          const text = "x = 1\\n".repeat(3000);
          const count = () => ["hljs-number", "line"].map((name) => element.getElementsByClassName(name).length);
          for (const lines of [1999, 2000, 2001, 2500]) view.set(text.slice(0, lines * 6 - 1));
          view.set(text.slice(0, -1), { isFinal: true });
          const grown = count();
          new CodeView(element, { language: "python" }).set(text.slice(0, -1), { isFinal: true });
          return [grown, count()];
        }"""
    )
    assert counted == [[2000, 3000], [2000, 3000]]


@pytest.mark.browser
@pytest.mark.parametrize("text", ["x" * MEGABYTE, "x = 1\n" * 100_000], ids=["one line", "many lines"])
def test_huge_code_does_not_hang_the_tab(page: Any, text: str) -> None:
    page.evaluate(
        """text => { new CodeView(add(), { language: "python" }).set(text, { isFinal: true });
        root.host.offsetHeight }""",
        text,
    )
    assert page.locator("code").evaluate("(code, text) => code.textContent === text", text)


SAMPLE_CODE = '''\
import re  # all kinds of words

@decorated
class Robot(Base):
    """Says what it does."""

    count: int = 12_000

    def roll(self, name: str = "bolt") -> bool:
        return len(name) > 3 and self.count is not None and re.match(r"\\d+", f"{name}") or True


async def a_rather_long_line(first: int, second: str) -> dict[str, list[tuple[int, float, complex]]]: return {"a": [1]}
'''

CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const toRgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const colour = toRgb(getComputedStyle(element).backgroundColor);
    if (colour[3]) return colour;
    return element === document.body ? [255, 255, 255] : behind(element.parentElement ?? element.getRootNode().host);
  };
  const low = [];
  for (const element of root.querySelectorAll("main *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const pair = [light(toRgb(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) low.push([element.className, element.textContent, ratio]);
  }
  return low;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(page: Any, scheme: str) -> None:
    page.evaluate("scheme => { document.documentElement.style.colorScheme = scheme }", scheme)
    show(
        page,
        STORY + f"`\n```\n\nعربي: a\u202eb\n\n```diff\n+ a\n- b\n```\n\n```json\n{json.dumps({'a': [1, True]})}\n```",
    )
    make_code(page, SAMPLE_CODE, language="python", label="code")
    page.evaluate("view.setLine(9)")
    make_code(page, SAMPLE_CODE, language="python", label="code of a subtask")
    page.evaluate("view.setLine(5)")
    page.evaluate("document.fonts.ready")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"text-{scheme}.png"), full_page=True)
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
