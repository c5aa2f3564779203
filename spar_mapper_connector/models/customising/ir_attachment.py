from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.assetsbundle import AssetsBundle

from ...expressions import is_called_from_file_of, is_on_command_line


class IrAttachment(models.Model):
    """Attachments: the scripts of the staff screens are files that Odoo writes."""

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._check_no_bundle()
        return attachments

    def write(self, vals):
        self._check_no_bundle()
        result = super().write(vals)
        self._check_no_bundle()
        return result

    def _check_no_bundle(self) -> None:
        """Raise ValidationError if anything but Odoo itself writes a bundle."""
        if not self.env.registry.ready or is_on_command_line():
            return
        urls = self.sudo().exists().mapped("url")
        is_bundle = any((url or "").startswith("/web/assets/") for url in urls)
        if is_bundle and not is_called_from_file_of(AssetsBundle.save_attachment):
            raise ValidationError(
                self.env._("Only Odoo itself writes the scripts of its screens.")
            )
