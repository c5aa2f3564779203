"""The description as a page: no script, no external style, nothing to load."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from ...const import BASE_PATH
from .document import build_document
from .paths import PATHS, Path
from .schemas import Schema

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem;
       padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
h2 { border-block-end: 1px solid; margin-block-start: 2.5rem; }
summary { cursor: pointer; padding-block: .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-block-end: 1px solid #8886; padding: .25rem .5rem; text-align: start;
         vertical-align: top; }
.method { display: inline-block; font-weight: 700; min-width: 3.5rem; }
"""


@lru_cache(maxsize=1)
def build_page() -> str:
    """Return the page, in English."""
    document = build_document()
    info = document["info"]
    paragraphs = "".join(
        f"<p>{_mark(text)}</p>" for text in info["description"].split("\n\n")
    )
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<main><h1>{escape(info['title'])}</h1>{paragraphs}",
        "<p>Machine-readable: <a href='openapi.json'>openapi.json</a></p>",
        *map(_build_group, dict.fromkeys(path.tag for path in PATHS)),
        "<h2>Documents</h2>",
        *(
            _build_schema(name, schema)
            for name, schema in sorted(document["components"]["schemas"].items())
        ),
        "</main></body></html>",
    ]
    return "".join(parts)


def _mark(text: str) -> str:
    """Return ``text`` with the simple mark-up of the description as HTML.

    >>> _mark("**Who** is `<x>`")
    '<strong>Who</strong> is <code>&lt;x&gt;</code>'
    """
    marked = escape(text)
    for sign, tag in (("**", "strong"), ("`", "code")):
        pieces = marked.split(sign)
        marked = pieces[0] + "".join(
            f"<{tag}>{piece}" if number % 2 == 0 else f"</{tag}>{piece}"
            for number, piece in enumerate(pieces[1:])
        )
    return marked


def _build_group(tag: str) -> str:
    entries = "".join(_build_path(path) for path in PATHS if path.tag == tag)
    return f"<h2>{escape(tag[:1].upper() + tag[1:])}</h2>{entries}"


def _build_path(path: Path) -> str:
    operation = path.build()
    rows = "".join(
        f"<tr><th scope='row'>{status}</th><td>{escape(answer['description'])}"
        f"{_build_content(answer)}</td></tr>"
        for status, answer in sorted(operation["responses"].items())
    )
    request = f"<p>Request: {_link(path.request)} ({path.request_type})</p>"
    access = "Public" if path.is_open else "For participants"
    return (
        f"<details><summary><span class='method'>{path.method.upper()}</span> "
        f"<code>{escape(BASE_PATH + path.path)}</code> {escape(path.summary)}</summary>"
        f"<p>{access}</p>{request if path.request else ''}{_build_query(path)}"
        f"<table><tbody>{rows}</tbody></table></details>"
    )


def _build_query(path: Path) -> str:
    names = ", ".join(f"<code>{name}</code>" for name, _schema in path.query)
    return f"<p>Query: {names}</p>" if names else ""


def _build_content(answer: Schema) -> str:
    names = [
        name
        for media in answer.get("content", {}).values()
        for name in _get_names(media["schema"])
    ]
    return "".join(f" {_link(name)}" for name in names)


def _get_names(schema: Schema) -> list[str]:
    if "anyOf" in schema:
        return [name for each in schema["anyOf"] for name in _get_names(each)]
    return [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []


def _link(name: str) -> str:
    return f"<a href='#{escape(name)}'>{escape(name)}</a>"


def _build_schema(name: str, schema: Schema) -> str:
    return (
        f"<section id='{escape(name)}'><h3>{escape(name)}</h3>"
        f"{_build_members(schema)}</section>"
    )


def _build_members(schema: Schema) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(name)}</code>"
        f"{' *' if name in required else ''}</th><td>{_describe(member)}</td></tr>"
        for name, member in schema.get("properties", {}).items()
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _describe(schema: Schema) -> str:
    """Return a short description of a schema; for an object, of its members."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(map(_describe, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_describe(schema['items'])}"
    if schema.get("properties"):
        return _build_members(schema)
    parts = [str(schema.get("format") or schema.get("type") or "anything")]
    if "enum" in schema:
        values = ", ".join(str(value) for value in schema["enum"])
        parts.append(f"one of: {values}")
    if "maxLength" in schema:
        parts.append(f"at most {schema['maxLength']} characters")
    return escape("; ".join(parts))
