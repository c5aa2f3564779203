"""Names that no expression may contain.

Odoo checks the names in every expression before it evaluates it, and refuses those that
lead to Python's own machinery. The database's cursor, the registry and the internals of
a request lead further: with them, an expression writes past every check, or leaves
something behind that runs after it has ended. Odoo's own views and actions use none of
them.
"""

from odoo.tools import safe_eval

#: The database, objects shared by all requests of a process, and internals of a
#: request.
_CLOSED = frozenset(
    {
        # SQL, and callbacks at the end of a transaction
        *("cr", "_cr", "cursor", "execute_query", "execute_query_dict"),
        *("precommit", "postcommit", "prerollback", "postrollback"),
        # Shared by all requests of a process
        *("registry", "pool", "cache_invalidated", "cache_sequences"),
        *("_onchange_methods", "_constraint_methods", "_ondelete_methods"),
        *("clear_cache", "clear_all_caches", "_clear_cache", "_register_hook"),
        # Values that this transaction has read for other users
        *("cache", "_cache", "_get_cache", "_get_all_cache_ids", "transaction"),
        *("field_data", "protected", "protecting"),
        # Internals of requests
        *("_get_session_and_dbname", "_post_init", "_save_session", "_serve_db"),
        *("_serve_ir_http", "_serve_nodb", "_set_request_dispatcher", "reroute"),
        *("call_on_close", "update_env", "future_response", "session_store"),
        # Accounts
        *("_compute_session_token", "_session_token_hash_compute"),
        *("_session_token_get_values", "_legacy_session_token_hash_compute"),
        *("_set_encrypted_password", "_check_credentials", "_generate"),
        *("_login", "authenticate", "finalize", "_set_session_inactivity"),
    }
)
#: Names of ours that views and rules use.
_OPEN = frozenset({"_get_reach", "_has_spar_role"})

#: The underscored names of SPAR's own models, of every database of this process.
_ours: set[str] = set()


def close_names() -> None:
    """Make Odoo refuse these names in every expression."""
    check = safe_eval.assert_no_dunder_name

    def assert_open_names(code_obj, expr):
        check(code_obj, expr)
        for name in code_obj.co_names:
            if is_closed(name):
                raise NameError(f"Access to forbidden name {name!r} ({expr!r})")

    safe_eval.assert_no_dunder_name = assert_open_names


def is_closed(name: str) -> bool:
    """Return whether expressions may not contain ``name``."""
    return name in _CLOSED or name in _ours


def close_ours(registry) -> None:
    """Add the underscored names that only SPAR's models have."""
    ours, others = set(), set()
    for model in registry.models.values():
        for base in model.mro():
            module = base.__module__
            names = {n for n in vars(base) if n.startswith("_") and "__" not in n}
            if module.startswith("odoo.addons.spar_"):
                ours |= names
            else:
                others |= names
    jobs = {name for name in ours if name.startswith("_cron_")}
    _ours.update(ours - others - jobs - _OPEN)
