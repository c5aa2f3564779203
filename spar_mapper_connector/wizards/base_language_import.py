from odoo import models
from odoo.exceptions import UserError

from ..expressions import is_at_run_time


class BaseLanguageImport(models.TransientModel):
    """The import of translations, which could exchange the labels of two buttons."""

    _inherit = "base.language.import"

    def import_lang(self):
        """Raise UserError: translations come with addons, or by the command line."""
        if is_at_run_time(self.env):
            raise UserError(
                self.env._(
                    "You cannot upload translations to a database with SPAR because "
                    "they could swap the words on its screens. Ship them in an addon."
                )
            )
        return super().import_lang()
