import re
from hashlib import sha256

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.assetsbundle import AssetsBundle

from ...expressions import (
    is_at_run_time,
    is_called_from_file_of,
    is_called_from_module,
    refuse_expressions,
)
from .ir_asset import WEBSITES

#: The digest of each bundle of scripts by database, name and version of its files: to
#: put one together takes seconds.
_digests: dict[tuple[str, str, str], str] = {}
#: The fields that keep their value in an attachment.
_FIELDS = "odoo.orm.fields_binary"
#: What says to which field of which record a file belongs.
_PLACE = {"res_model", "res_field", "res_id"}
_BUNDLE = re.compile(r"/web/assets/(?:\d+/)?(?P<version>\w+)/(?P<name>[\w.]+)\.min\.js")


class IrAttachment(models.Model):
    """Attachments: the scripts of the staff screens are files that Odoo writes."""

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._check_no_bundle()
        attachments._check_not_our_field()
        return attachments

    def write(self, vals):
        self._check_no_bundle()
        self._refuse_expressions_on_ours()
        result = super().write(vals)
        self._check_no_bundle()
        if _PLACE & vals.keys():
            self._check_not_our_field()
        return result

    def unlink(self):
        self._refuse_expressions_on_ours()
        return super().unlink()

    def _refuse_expressions_on_ours(self) -> None:
        """Raise CalledFromExpression if one changes what a field of ours holds."""
        if is_called_from_module(_FIELDS):
            return
        if any(
            attachment.res_field and (attachment.res_model or "").startswith("spar.")
            for attachment in self.sudo().exists()
        ):
            refuse_expressions()

    def _check_not_our_field(self) -> None:
        """Raise ValidationError if anything but a field writes what a field holds.

        A form of a website creates rows of any model as superuser: also one that holds
        a provider's logo.
        """
        if not is_at_run_time(self.env) or is_called_from_module(_FIELDS):
            return
        for attachment in self.sudo().exists().filtered("res_field"):
            if (attachment.res_model or "").startswith("spar."):
                raise ValidationError(
                    self.env._(
                        "You cannot attach a file to a field of %(model)s. Set the "
                        "field on its own form.",
                        model=attachment.res_model,
                    )
                )

    def _check_no_bundle(self) -> None:
        """Raise ValidationError if anything but Odoo itself writes a bundle."""
        if not is_at_run_time(self.env):
            return
        urls = self.sudo().exists().mapped("url")
        is_bundle = any((url or "").startswith("/web/assets/") for url in urls)
        if is_bundle and not is_called_from_file_of(AssetsBundle.save_attachment):
            raise ValidationError(
                self.env._("Only Odoo itself writes the scripts of its screens.")
            )

    @api.model
    def _find_foreign_bundles(self) -> list[int]:
        """Return the ids of staff's bundles that differ from the addons' files.

        Somebody with SQL can put a script there that acts as any member of staff.
        """
        stored = self.sudo().search(
            [("url", "=like", "/web/assets/%.min.js"), ("public", "=", True)],
            order="id",
        )
        return [bundle.id for bundle in stored if bundle._is_foreign_bundle()]

    def _is_foreign_bundle(self) -> bool:
        found = _BUNDLE.fullmatch(self.url)
        if found is None or found["name"] in WEBSITES:
            return False
        bundle = self.env["ir.qweb"]._get_asset_bundle(
            found["name"], css=False, assets_params={}
        )
        if bundle.get_version("js") != found["version"]:
            return False  # Of earlier files: no page names it.
        return sha256(self.raw or b"").hexdigest() != self._get_bundle_digest(bundle)

    @api.model
    def _get_bundle_digest(self, bundle) -> str:
        """Return the digest of a bundle of scripts, put together from its files."""
        key = (self.env.cr.dbname, bundle.name, bundle.get_checksum("js"))
        if key not in _digests:
            # What was stored is neither read nor replaced.
            bundle.get_attachments = lambda *_args, **_kwargs: []
            bundle.save_attachment = lambda _extension, content: [content]
            _digests[key] = sha256(bundle.js().encode()).hexdigest()
        return _digests[key]
