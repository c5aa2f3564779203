def post_init_hook(env):
    """The settings that came with this addon are sealed, where there are keys."""
    env["spar.settings.seal"]._seal_unsealed()
