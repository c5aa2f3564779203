from .lib import integrity


def uninstall_hook(env):
    """Remove the guards that keep tables, and directory rows, from being dropped."""
    env["spar.event"]._lift_append_only()
    env.cr.execute(integrity.drop_directory_guards())
    env.cr.execute(integrity.drop_ties())
    env.cr.execute("DROP TABLE IF EXISTS spar_form_row, spar_form_seal")
