"""Names that no expression may hold.

Odoo checks the names in every expression before it evaluates it, and refuses those that
lead to Python's own machinery. The database's cursor, the registry and the internals of
a request lead further: an expression that has them writes past every check, or leaves
something behind that runs after it has ended.

So some attributes are closed, and so are all that begin with an underscore, except
those in the data files of the server's addons: what people type at run time needs no
more than what the addons' own views, actions and templates use. Variables may have any
name.
"""

import dis
import functools
import re
from pathlib import Path
from types import CodeType

from odoo.modules.module import get_module_path
from odoo.tools import safe_eval

from ..loaded_files import list_loaded_addons

#: SQL, and what is left for the end of a transaction.
_SQL = (
    "cr",
    "_cr",
    "cursor",
    "execute_query",
    "execute_query_dict",
    "precommit",
    "postcommit",
    "prerollback",
    "postrollback",
    "add_where",
    "add_join",
    "add_table",
    "get_result_ids",
    "subselect",
)
#: What all requests of a process share.
_SHARED = (
    "registry",
    "pool",
    "cache_invalidated",
    "cache_sequences",
    "_onchange_methods",
    "_constraint_methods",
    "_ondelete_methods",
    "clear_cache",
    "clear_all_caches",
    "_clear_cache",
    "_register_hook",
    "routing_map",
    "iter_rules",
    "endpoint",
)
#: What this transaction has read for others.
_CACHED = (
    "cache",
    "_cache",
    "_get_cache",
    "_get_all_cache_ids",
    "transaction",
    "field_data",
    "protected",
    "protecting",
)
#: The machinery of requests, and the key of a session.
_REQUESTS = (
    "_get_session_and_dbname",
    "_post_init",
    "_save_session",
    "_serve_db",
    "_serve_ir_http",
    "_serve_nodb",
    "_set_request_dispatcher",
    "reroute",
    "call_on_close",
    "update_env",
    "future_response",
    "session_store",
    "sid",
    "environ",
    "dispatcher",
    "jsonrequest",
    "get_data",
    "get_http_params",
    "get_json_data",
)
#: What makes or checks an identity.
_ACCOUNTS = (
    "_compute_session_token",
    "_session_token_hash_compute",
    "_session_token_get_values",
    "_legacy_session_token_hash_compute",
    "_set_encrypted_password",
    "_check_credentials",
    "_get_totp_mail_key",
    "_generate",
    "_login",
    "authenticate",
    "finalize",
    "_set_session_inactivity",
)
#: What a field does past the methods of its model.
_FIELDS = (
    "determine_inverse",
    "prepare_setup",
    "setup",
    "setup_inverses",
    "setup_nonrelated",
    "setup_related",
    "update_db",
    "update_db_column",
    "update_db_foreign_key",
    "update_db_foreign_keys",
    "update_db_index",
    "update_db_notnull",
    "update_db_related",
    "write_batch",
    "write_new",
    "write_real",
)
_CLOSED = frozenset((*_SQL, *_SHARED, *_CACHED, *_REQUESTS, *_ACCOUNTS, *_FIELDS))
#: The instructions that read or write an attribute, or a method, by its name.
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR")
_UNDERSCORED = re.compile(r"\._([a-z]\w*)")

#: The underscored names in the data files of addons, by addon.
_named: dict[str, frozenset[str]] = {}


def close_names() -> None:
    """Have Odoo refuse these names in every expression."""
    check = safe_eval.assert_no_dunder_name

    def assert_open_names(code_obj, expr):
        check(code_obj, expr)
        for name in find_attributes(code_obj):
            if is_closed(name):
                raise NameError(f"Access to forbidden name {name!r} ({expr!r})")

    safe_eval.assert_no_dunder_name = assert_open_names


def find_attributes(code: CodeType) -> set[str]:
    """Return the names of attributes and methods that a code object uses.

    >>> sorted(find_attributes(compile("a.b + c.d()", "", "eval")))
    ['b', 'd']
    """
    return {
        instruction.argval
        for instruction in dis.get_instructions(code)
        if instruction.opname in _ATTRIBUTES
    }


def is_closed(name: str) -> bool:
    """Return whether expressions may not hold the attribute ``name``.

    Before the addons' files have been read, while the first registry is being loaded,
    only the names that are listed here are closed.
    """
    if name in _CLOSED:
        return True
    if not _named or not name.startswith("_") or _is_named(name):
        return False
    # Not used by an installed addon: perhaps by one that is being installed.
    return not _is_named_by_any(name, list_loaded_addons())


def _is_named(name: str) -> bool:
    return any(name in names for names in _named.values())


def _is_named_by_any(name: str, addons) -> bool:
    """Return whether the files of one of these addons use a name."""
    paths = [get_module_path(addon, display_warning=False) for addon in addons]
    return any(name in _read_addon(Path(path)) for path in paths if path)


def read_names(addons) -> None:
    """Read which underscored names the data files of these addons use, once."""
    for addon in set(addons) - _named.keys():
        path = get_module_path(addon, display_warning=False)
        _named[addon] = _read_addon(Path(path)) if path else frozenset()


@functools.cache
def _read_addon(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for file in path.rglob("*.xml"):
        if "static" not in file.relative_to(path).parts:
            text = file.read_text("utf-8", "replace")
            names.update(f"_{found}" for found in _UNDERSCORED.findall(text))
    return frozenset(names)
