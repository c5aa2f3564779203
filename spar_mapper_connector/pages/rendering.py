"""Pages from an addon's files, not from views.

A user who may edit a view can read everything that is shown with it. So the templates
of the beneficiary's pages are read from ``views/*_templates.xml`` of their addon and
translated by its ``i18n/``: views of the same names exist in the database only for the
export of their texts. Such a template reaches no model: it has its values and nothing
else.
"""

from collections import defaultdict
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lxml import etree
from markupsafe import Markup

from odoo.modules.registry import _REGISTRY_CACHES
from odoo.tools.lru import LRU
from odoo.tools.misc import file_path
from odoo.tools.translate import PoFileReader, get_po_paths, xml_translate

from odoo.addons.base.models.ir_qweb import IrQweb, keep_query


def render(name: str, values: dict[str, Any], lang: str) -> Markup:
    """Return the page of a template in a language.

    :param name: the full name, for example ``spar_self_service.login_page``
    :param lang: Odoo's code, for example ``fr_FR``
    """
    qweb = _FileQweb(_Environment(), (), ())
    values = {"keep_query": keep_query, **values}
    return qweb._render(name, values, lang=lang, minimal_qcontext=True)


# === TEMPLATES === #


@cache
def _read_templates(addon: str) -> dict[str, etree._Element]:
    """Return an addon's templates by their full names, each as its view would be."""
    templates = {}
    for path in sorted(Path(file_path(f"{addon}/views")).glob("*_templates.xml")):
        root = etree.parse(path).getroot()
        for template in root.iterfind("template"):
            if not template.get("inherit_id"):
                name = f"{addon}.{template.attrib.pop('id')}"
                template.attrib.pop("name", None)
                template.tag, template.tail = "t", None
                template.set("t-name", name)
                templates[name] = template
    return templates


@lru_cache(maxsize=1024)
def _translate(name: str, lang: str) -> etree._Element:
    """Return a template in a language; what has no translation stays English."""
    addon = name.partition(".")[0]
    template, terms = _read_templates(addon)[name], _read_terms(addon, lang)
    if not terms:
        return template
    text = etree.tostring(template, encoding="unicode")
    return etree.fromstring(xml_translate(terms.get, text))


@cache
def _read_terms(addon: str, lang: str) -> dict[str, str]:
    """Return the translations of an addon's templates, by the texts."""
    return {
        row["src"]: row["value"]
        for path in get_po_paths(addon, lang)
        for row in PoFileReader(path)
        if row["type"] == "model_terms" and row["name"] == "ir.ui.view,arch_db"
        if row["value"]
    }


# === QWEB WITHOUT A DATABASE === #


class _Pool:
    """A cache for compiled templates, in place of a database's registry."""

    db_name = None
    _Registry__caches = {name: LRU(size) for name, size in _REGISTRY_CACHES.items()}


class _Cursor:
    def __init__(self):
        self.cache: dict = {}


class _Environment(dict):
    """An environment without a database: nothing but a context."""

    def __init__(self, context: dict | None = None):
        super().__init__()
        self.context = context or {}
        self.cr = _Cursor()

    def __call__(self, cr=None, user=None, context=None, su=None):
        return _Environment(dict(self.context if context is None else context))


class _FileQweb(IrQweb):
    """QWeb on template files.

    It works like ``ir_qweb.render``, which compiles each page anew, and cannot show
    what a template puts into another one.
    """

    _register = False
    pool = _Pool()

    def _get_template_info(self, id_or_xmlid):
        return defaultdict(lambda: None, id=id_or_xmlid)

    def _preload_trees(self, refs):
        lang = self.env.context["lang"]
        trees = {ref: deepcopy(_translate(ref, lang)) for ref in refs}
        return {
            ref: {
                "tree": tree,
                "template": etree.tostring(tree, encoding="unicode"),
                "xmlid": ref,
                "ref": ref,
            }
            for ref, tree in trees.items()
        }

    def _prepare_environment(self, values):
        values["true"], values["false"] = True, False
        return self.with_context(__qweb_loaded_functions={})
