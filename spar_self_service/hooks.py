from .models.auth_oauth_provider import FLOW


def post_init_hook(env):
    """Odoo's own account at Odoo is no way in here, unless somebody uses it already."""
    provider = env.ref("auth_oauth.provider_openerp", raise_if_not_found=False)
    users = env["res.users"].with_context(active_test=False)
    if provider and not users.search_count([("oauth_provider_id", "=", provider.id)]):
        provider.enabled = False


def uninstall_hook(env):
    """Without us core would send people to our providers by its implicit flow."""
    env["auth.oauth.provider"].search([("flow", "=", FLOW)]).enabled = False
