from odoo import models

from ..exceptions import NoUsableId
from ..lib.oidc.verified import VerifiedLogin


class AuthOauthProvider(models.Model):
    """A test login at a provider, before beneficiaries use it."""

    _name = "auth.oauth.provider"
    _inherit = ["auth.oauth.provider"]

    def action_test_login(self):
        """Log in at the provider as a beneficiary would, but without a session."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/spar/oidc/test/{self.id}",
            "target": "new",
        }

    def _describe_trial(self, verified: VerifiedLogin) -> list[tuple[str, str]]:
        """Return the result of a test login: names of claims, never their values."""
        yes, no = self.env._("yes"), self.env._("no")
        contacts = verified.contacts
        return [
            (self.env._("Issuer"), verified.issuer),
            (self.env._("Way to authenticate"), verified.acr or "-"),
            (
                self.env._("Time of authentication told"),
                verified.auth_time and yes or no,
            ),
            (self.env._("Claims"), ", ".join(sorted(verified.claims))),
            (self.env._("Name"), verified.name and yes or no),
            (self.env._("Verified e-mail address"), contacts.email and yes or no),
            (self.env._("Verified phone number"), contacts.phone_number and yes or no),
            (self.env._("Usable ID"), self._describe_id(verified)),
        ]

    def _describe_id(self, verified: VerifiedLogin) -> str:
        try:
            self._build_id_value(verified)
        except NoUsableId as error:
            return self.env._("no (%(reason)s)", reason=error.reason)
        return self.env._("yes: %(id_type)s", id_type=self.id_type_id.name)
