"""Texts made fit for Streamlit's Markdown. HTML in it is shown, never rendered: that is Streamlit's own default."""

import re

__all__ = ["escape_markdown", "soften_markdown"]

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_CODE = re.compile(
    r"(^ {0,3}(?P<fence>`{3,}|~{3,})[\s\S]*?(?:^ {0,3}(?P=fence)[`~]*\s*$|\Z)|`+[^`\n]+`+)", re.MULTILINE
)
_PRICE = re.compile(r"(?<![\\$])\$(?=\d)")
_IMAGE = re.compile(r"(?<!\\)!\[")
_DIRECTIVE = re.compile(r"(?<![\\\w]):(?=[a-z]+(?:-[a-z]+)?\[|[a-z_]+(?:/[a-z0-9_]+)?:)")


def escape_markdown(text: str) -> str:
    """Return the text so that it is shown as it stands, on one line."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def soften_markdown(text: str) -> str:
    """Return a model's Markdown without what only Streamlit would read into it, and without images.

    `$5 and $6` is no formula, `:red[…]` and `:material/…:` are no marks of the page's own, and an image is a link: its
    address may carry what the model has read, so it is followed by a click only. Code is left as it is.
    """
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        parts += [_soften(text[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*parts, _soften(text[end:])])


def _soften(prose: str) -> str:
    return _IMAGE.sub("[image: ", _DIRECTIVE.sub(r"\\:", _PRICE.sub(r"\\$", prose)))
