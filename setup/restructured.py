"""Markdown converted to reStructuredText, for the README of an addon.

It covers what the fragments in ``readme/`` use: headings, paragraphs, lists, tables,
code, links, images and emphasis.
"""

import re
import textwrap
from collections.abc import Callable, Iterable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

#: Underlines of headings in a fragment: its highest level, the next one, and so on.
UNDERLINES = "-~^"
#: Characters beside which inline markup is recognised.
BEFORE = set(" \n'\"([{<-/:")
AFTER = set(" \n'\")]}>-/:.,;!?\\")

_PARSER = MarkdownIt("commonmark").enable("table")


def convert(markdown: str) -> str:
    r"""Return a Markdown text as reStructuredText.

    >>> print(convert("Use `odoo`, *now*:\n\n- one\n- **two**"))
    Use ``odoo``, *now*:
    <BLANKLINE>
    - one
    - **two**
    """
    root = SyntaxTreeNode(_PARSER.parse(markdown))
    levels = sorted({int(node.tag[1]) for node in root if node.type == "heading"})
    parts = [
        _convert_heading(node, levels)
        if node.type == "heading"
        else BLOCKS[node.type](node)
        for node in root
    ]
    return "\n\n".join(parts)


# === BLOCKS === #


def _convert_heading(node: SyntaxTreeNode, levels: list[int]) -> str:
    text = _convert_inline(node.children)
    return f"{text}\n{UNDERLINES[levels.index(int(node.tag[1]))] * len(text)}"


def _convert_paragraph(node: SyntaxTreeNode) -> str:
    (inline,) = node.children
    if [child.type for child in inline.children] == ["image"]:
        (image,) = inline.children
        return build_image(str(image.attrs["src"]), image.content)
    return _convert_inline([inline])


def build_image(path: str, text: str) -> str:
    """Return a picture with the text that stands for it."""
    return f".. image:: {path}\n   :alt: {text}"


def _convert_code(node: SyntaxTreeNode) -> str:
    code = textwrap.indent(node.content.rstrip(), "   ")
    return f".. code-block:: {node.info or 'text'}\n\n{code}"


def _convert_quote(node: SyntaxTreeNode) -> str:
    return textwrap.indent(_convert_blocks(node), "   ")


def _convert_list(node: SyntaxTreeNode) -> str:
    is_ordered = node.type == "ordered_list"
    first = int(node.attrs.get("start", 1))
    items = []
    for number, item in enumerate(node, first):
        mark = f"{number}. " if is_ordered else "- "
        items.append(_hang(mark, _convert_blocks(item)))
    is_loose = any("\n\n" in item for item in items)
    return ("\n\n" if is_loose else "\n").join(items)


def _convert_table(node: SyntaxTreeNode) -> str:
    rows = [row for part in node for row in part]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        cells = [_convert_inline(cell.children) for cell in row]
        marked = [_hang("- ", cell) for cell in cells]
        lines.append(textwrap.indent(_hang("* ", "\n".join(marked)), "   "))
    return "\n".join(lines)


def _convert_blocks(node: SyntaxTreeNode) -> str:
    return "\n\n".join(BLOCKS[child.type](child) for child in node)


def _hang(mark: str, text: str) -> str:
    """Return a text behind a mark, its further lines indented by the mark's width."""
    return mark + textwrap.indent(text, " " * len(mark))[len(mark) :]


BLOCKS: dict[str, Callable[[SyntaxTreeNode], str]] = {
    "paragraph": _convert_paragraph,
    "fence": _convert_code,
    "code_block": _convert_code,
    "blockquote": _convert_quote,
    "bullet_list": _convert_list,
    "ordered_list": _convert_list,
    "table": _convert_table,
}


# === TEXT === #


def _escape(text: str) -> str:
    r"""Return text without anything that reStructuredText would take for markup.

    >>> _escape("a_b c_ *d")
    'a_b c\\_ \\*d'
    """
    return re.sub(r"[\\*`|]|_(?!\w)", r"\\\g<0>", text)


def _read_text(node: SyntaxTreeNode) -> str:
    """Return the text of a node without its markup."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    return node.content or "".join(map(_read_text, node.children))


def _wrap(mark: str, node: SyntaxTreeNode) -> list[str]:
    """Return emphasised pieces: one within the other does not exist in the target."""
    pieces = []
    for child in node:
        if child.type == "code_inline":
            pieces.append(f"``{child.content}``")
            continue
        text = _escape(_read_text(child))
        start, core, end = re.fullmatch(r"(\s*)(.*?)(\s*)", text, re.S).groups()
        pieces += [start, f"{mark}{core}{mark}" if core else "", end]
    return pieces


def _get_pieces(node: SyntaxTreeNode) -> list[str]:
    """Return the parts of a text; those with markup stand alone."""
    match node.type:
        case "text":
            return [_escape(node.content)]
        case "softbreak" | "hardbreak":
            return ["\n"]
        case "code_inline":
            return [f"``{node.content}``"]
        case "strong":
            return _wrap("**", node)
        case "em":
            return _wrap("*", node)
        case "link":
            return [f"`{_escape(_read_text(node))} <{node.attrs['href']}>`__"]
    return [piece for child in node for piece in _get_pieces(child)]


def _is_markup(piece: str) -> bool:
    return piece.startswith(("`", "*")) and len(piece) > 1


def _convert_inline(nodes: Iterable[SyntaxTreeNode]) -> str:
    """Return a text, its markup separated where it would not be recognised."""
    text, was_markup = "", False
    for piece in (piece for node in nodes for piece in _get_pieces(node) if piece):
        is_markup = _is_markup(piece)
        starts_badly = is_markup and text and text[-1] not in BEFORE
        ends_badly = was_markup and piece[0] not in AFTER
        text += ("\\ " if starts_badly or ends_badly else "") + piece
        was_markup = is_markup
    return text
