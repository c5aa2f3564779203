from odoo import models


class WebsiteSnippetFilter(models.Model):
    """Blocks of a page that show records, to anybody who asks for one by its number."""

    _inherit = "website.snippet.filter"

    def _prepare_values(self, limit=None, search_domain=None, **options):
        """Return what is shown, of a single record only if the visitor may read it.

        Odoo reads that record as superuser, of whatever model the request names, and
        the fields that the visitor's own defaults name.
        """
        model, record_id = options.get("res_model"), options.get("res_id")
        if model and record_id and not self._is_readable(model, record_id):
            return []
        return super()._prepare_values(limit, search_domain, **options)

    def _is_readable(self, model: str, record_id) -> bool:
        if model not in self.env or not isinstance(record_id, int):
            return False
        record = self.env[model].sudo(False).browse(record_id).exists()
        return bool(record) and record.has_access("read")
