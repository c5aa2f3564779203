from urllib.parse import urlsplit

from odoo import models

from ..lib import settings


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_signup_url_for_action(self, *args, **kwargs):
        """Lead staff to the host of their screens, where they set their password."""
        urls = super()._get_signup_url_for_action(*args, **kwargs)
        host = settings.get_staff_host(self.env.cr.dbname)
        if not host:
            return urls
        return {
            partner_id: urlsplit(url)._replace(netloc=host).geturl()
            if url and urlsplit(url).netloc
            else url
            for partner_id, url in urls.items()
        }
