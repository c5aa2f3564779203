def uninstall_hook(env):
    """Lift what keeps the tables from being dropped with the addon."""
    env["spar.event"]._lift_append_only()
    env.cr.execute(
        """
        ALTER TABLE spar_mapping DROP CONSTRAINT IF EXISTS spar_mapping_last_event_fk;
        DROP TRIGGER IF EXISTS spar_mapping_guard ON spar_mapping;
        DROP TRIGGER IF EXISTS spar_mapping_guard_truncate ON spar_mapping;
        """
    )
