import re
from collections.abc import Iterator

from lxml import etree

#: A field that a path goes into.
_ENTERED = re.compile(r"\bfield\[@name='(\w+)'\](?=/)")


def iter_buttons(env, node, model: str) -> Iterator[tuple[str, str]]:
    """Yield model and method of each button below a node of a view of ``model``.

    One in a list of lines is a button of their model.
    """
    for child in node.iterchildren(etree.Element):
        if child.tag == "button" and child.get("type") == "object":
            yield model, child.get("name")
        within = model
        for name in _list_entered(child):
            field = env[within]._fields.get(name)
            within = (field and field.comodel_name) or within
        yield from iter_buttons(env, child, within)


def _list_entered(node) -> list[str]:
    """Return the fields to whose lines the children of ``node`` belong."""
    if node.tag == "field":
        return [node.get("name", "")]
    return _ENTERED.findall(node.get("expr", "")) if node.tag == "xpath" else []
