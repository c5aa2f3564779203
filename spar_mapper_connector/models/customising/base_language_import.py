from odoo import models
from odoo.exceptions import UserError

from ...expressions import is_on_command_line


class BaseLanguageImport(models.TransientModel):
    """The import of translations, which could exchange the labels of two buttons."""

    _inherit = "base.language.import"

    def import_lang(self):
        """Raise UserError: translations come with addons, or by the command line."""
        if self.env.registry.ready and not is_on_command_line():
            raise UserError(
                self.env._(
                    "Translations are not uploaded in a database with SPAR: they could "
                    "exchange the words on its screens. Put them into an addon."
                )
            )
        return super().import_lang()
