"""The page that people see when a request met a lock.

It is plain: nothing may be read from the database.
"""

from __future__ import annotations

from html import escape

_RIGHT_TO_LEFT = ("ar", "he", "fa", "ur")
_PAGE = """<!DOCTYPE html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 3rem auto; }}
main {{ padding: 0 1rem; }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p>{link}</main></body>
</html>
"""


def build_busy_page(language: str, title: str, text: str, again: str, path: str) -> str:
    """Return the page in ``language``.

    ``path`` is the target of a click on ``again``, "" for none: users go back to send a
    form again.

    >>> page = build_busy_page("ar_001", "T", "<t>", "Again", "/web?a=1&b=2")
    >>> 'lang="ar-001" dir="rtl"' in page, "&lt;t&gt;" in page
    (True, True)
    >>> '<a href="/web?a=1&amp;b=2">Again</a>' in page
    True
    >>> "<a " in build_busy_page("en", "T", "t", "Again", "//evil.example")
    False
    """
    # A path that begins with two slashes would lead to another host.
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    link = f'<p><a href="{escape(path)}">{escape(again)}</a></p>' if is_ours else ""
    return _PAGE.format(
        language=escape(language.replace("_", "-")),
        direction="rtl" if language[:2] in _RIGHT_TO_LEFT else "ltr",
        title=escape(title),
        text=escape(text),
        link=link,
    )
