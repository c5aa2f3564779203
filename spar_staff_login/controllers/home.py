from werkzeug.exceptions import NotFound

from odoo.http import request, route

from odoo.addons.auth_signup.controllers.main import AuthSignupHome


class StaffHome(AuthSignupHome):
    def get_auth_signup_qcontext(self):
        """Omit the address of an account: core would reveal whether it has a login."""
        context = super().get_auth_signup_qcontext()
        context.pop("signup_email", None)
        return context

    @route()
    def web_auth_reset_password(self, *args, **kw):
        """Give the same answer whether or not there is such an account."""
        response = super().web_auth_reset_password(*args, **kw)
        if response.is_qweb and request.httprequest.method == "POST":
            response.headers["Cache-Control"] = "no-store"
        return response

    @route()
    def switch_to_admin(self):
        """Refuse to make the session that of the superuser: nobody logs in as it."""
        raise NotFound()
