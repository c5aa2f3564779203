from .models.auth_oauth_provider import FLOW


def post_init_hook(env):
    """Disable Odoo's own OAuth provider, unless a user already logs in with it."""
    provider = env.ref("auth_oauth.provider_openerp", raise_if_not_found=False)
    users = env["res.users"].with_context(active_test=False)
    if provider and not users.search_count([("oauth_provider_id", "=", provider.id)]):
        provider.enabled = False


def uninstall_hook(env):
    """Disable our providers: core alone would use its implicit flow for them."""
    env["auth.oauth.provider"].search([("flow", "=", FLOW)]).enabled = False
