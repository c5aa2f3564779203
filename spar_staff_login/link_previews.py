"""Previews of links, which Odoo fetches from the address that somebody names."""

import requests

from odoo.http import request

from odoo.addons.mail.models import mail_link_preview
from odoo.addons.mail.tools import link_preview


def limit_link_previews() -> None:
    """Fetch previews for people who have logged in only; a failure is no preview.

    Odoo does so for any visitor.
    """
    fetch = link_preview.get_link_preview_from_url

    def fetch_for_users(url, request_session=None):
        if request and _is_visitor():
            return False
        try:
            return fetch(url, request_session)
        except requests.RequestException:
            # Odoo expects this until the answer begins, but not while it is read.
            return False

    link_preview.get_link_preview_from_url = fetch_for_users
    mail_link_preview.get_link_preview_from_url = fetch_for_users


def _is_visitor() -> bool:
    return not request.session.uid
