from .lib import integrity


def uninstall_hook(env):
    """Lift what keeps the tables from being dropped, and let the directory go."""
    env["spar.event"]._lift_append_only()
    env.cr.execute(integrity.drop_directory_guards())
    env.cr.execute(
        """
        DROP TRIGGER IF EXISTS spar_mapping_guard ON spar_mapping;
        DROP TRIGGER IF EXISTS spar_mapping_tie_insert ON spar_mapping;
        DROP TRIGGER IF EXISTS spar_mapping_tie_update ON spar_mapping;
        DROP TABLE IF EXISTS spar_store_tie, spar_store_use;
        """
    )
