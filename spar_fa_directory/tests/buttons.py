from collections.abc import Iterator

from lxml import etree


def iter_buttons(env, node, model: str) -> Iterator[tuple[str, str]]:
    """Yield model and method of each button below a node of a view of ``model``.

    One in a list of lines is a button of their model.
    """
    for child in node.iterchildren(etree.Element):
        if child.tag == "button" and child.get("type") == "object":
            yield model, child.get("name")
        field = child.tag == "field" and env[model]._fields.get(child.get("name"))
        lines = field and field.comodel_name
        yield from iter_buttons(env, child, lines or model)
