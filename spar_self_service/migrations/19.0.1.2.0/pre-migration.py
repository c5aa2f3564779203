"""Rename what was called a door: the login page of beneficiaries.

This runs before the addon is loaded, so that the field keeps its values, and
a website's copy of a view remains a copy of that view. A copy that was edited is not
loaded again, so the name of the variable in it is replaced here.
"""

from odoo.tools.sql import SQL, column_exists, rename_column

MODULE = "spar_self_service"
MODEL = "auth.oauth.provider"
OLD_FIELD, NEW_FIELD = "on_door", "is_offered"
#: Old name -> new name, of the views.
VIEWS = {"door": "login_page", "web_login_door": "web_login_beneficiaries"}
#: The view on Odoo's login page, and the variable in it: old name, new name.
LOGIN_VIEW = "web_login_beneficiaries"
OLD_VARIABLE, NEW_VARIABLE = "spar_door", "spar_is_offered"


def migrate(cr, version):
    _rename_field(cr)
    for old, new in VIEWS.items():
        _rename_xml_id(cr, old, new)
        cr.execute(
            "UPDATE ir_ui_view SET key = %s WHERE key = %s",
            (f"{MODULE}.{new}", f"{MODULE}.{old}"),
        )
    _rename_variable(cr)


def _rename_variable(cr):
    """Rename the variable in the view and in each website's copy, in all languages.

    The view itself is changed as well: Odoo loads a copy again only where it is the
    same as the view.
    """
    cr.execute(
        """UPDATE ir_ui_view
              SET arch_db = replace(arch_db::text, %(old)s, %(new)s)::jsonb,
                  arch_prev = replace(arch_prev, %(old)s, %(new)s)
            WHERE key = %(key)s""",
        {
            "key": f"{MODULE}.{LOGIN_VIEW}",
            "old": OLD_VARIABLE,
            "new": NEW_VARIABLE,
        },
    )


def _rename_field(cr):
    if not column_exists(cr, "auth_oauth_provider", OLD_FIELD):
        return
    rename_column(cr, "auth_oauth_provider", OLD_FIELD, NEW_FIELD)
    cr.execute(
        "UPDATE ir_model_fields SET name = %s WHERE model = %s AND name = %s",
        (NEW_FIELD, MODEL, OLD_FIELD),
    )
    prefix = f"field_{MODEL.replace('.', '_')}__"
    _rename_xml_id(cr, prefix + OLD_FIELD, prefix + NEW_FIELD)


def _rename_xml_id(cr, old, new):
    cr.execute(
        SQL(
            "UPDATE ir_model_data SET name = %s WHERE module = %s AND name = %s",
            new,
            MODULE,
            old,
        )
    )
