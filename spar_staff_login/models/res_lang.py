from odoo import api, models
from odoo.exceptions import ValidationError

from ..lib import hosts


class ResLang(models.Model):
    """Languages: a website serves its pages also below the code of each."""

    _inherit = "res.lang"

    @api.constrains("url_code")
    def _check_url_code_is_no_path_of_ours(self):
        """Raise ValidationError for a code that is a path of SPAR or of the login.

        A page of a website would be served there.
        """
        for language in self:
            if hosts.is_protected(language.url_code or ""):
                raise ValidationError(
                    self.env._(
                        "You cannot use %(code)s as a URL code because it belongs to "
                        "SPAR, to the login or to Odoo's own screens.",
                        code=language.url_code,
                    )
                )
