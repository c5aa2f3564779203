"""Sign existing rows that are protected by MACs from this version on.

These are the rows that govern the reading of IDs, the links of notices and the progress
of moves. This runs before anything else of this version writes any of them. A dry run
in progress starts again, because its notes are not signed.
"""

from odoo import SUPERUSER_ID, api

from odoo.addons.spar_mapper.store.noticing import sign_links

_SEALED = ("spar.id.form", "spar.form.run", "spar.form.case")


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    if not env["spar.keyring"]._get_phase():
        _forget(cr)
        return
    for name in _SEALED:
        model = env[name]
        records = model.search([("revision", "in", (0, False))])
        records._sign(added=len(records))
    cr.execute(
        "SELECT id FROM spar_notice WHERE link_digest IS NOT NULL AND link_mac IS NULL"
    )
    keyring = env["spar.keyring"]._open()
    sign_links(cr, keyring, [row_id for (row_id,) in cr.fetchall()])
    for move in env["spar.move"].search([("state", "=", "running")]):
        move.mac = move._build_mac(keyring)
    _go_on_checking(cr)
    _begin_anew(env)


def _go_on_checking(cr):
    """Continue a check whose current part no longer exists: the part counts as done."""
    cr.execute(
        """UPDATE spar_audit_run SET position = '{"part": "spar_form_case", "after": 0}'
            WHERE finished_at IS NULL AND position ->> 'part' = 'spar_change'"""
    )


def _forget(cr):
    """Delete the forms: nothing is stored without keys; the first write keeps them."""
    cr.execute(
        """
        ALTER TABLE spar_id_form DISABLE TRIGGER spar_id_form_no_delete;
        ALTER TABLE spar_form_run DISABLE TRIGGER spar_form_run_no_delete;
        DELETE FROM spar_id_form;
        DELETE FROM spar_form_run;
        ALTER TABLE spar_id_form ENABLE TRIGGER spar_id_form_no_delete;
        ALTER TABLE spar_form_run ENABLE TRIGGER spar_form_run_no_delete;
        """
    )


def _begin_anew(env):
    run = env["spar.form.run"]._get_open_ids()
    if run:
        is_wanted = run.is_wanted
        env["spar.form.run"]._begin_ids().is_wanted = is_wanted
