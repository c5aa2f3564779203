from werkzeug.exceptions import NotFound

from odoo import http
from odoo.tools import config

from odoo.addons.web.controllers import database


def _check_open() -> None:
    """Raise NotFound if databases are not managed over the web."""
    if not config["list_db"]:
        raise NotFound()


class Database(database.Database):
    """The database manager, closed by ``list_db = False``; core still shows pages."""

    @http.route()
    def selector(self, **kw):
        _check_open()
        return super().selector(**kw)

    @http.route()
    def manager(self, **kw):
        _check_open()
        return super().manager(**kw)

    @http.route()
    def create(self, *args, **kw):
        _check_open()
        return super().create(*args, **kw)

    @http.route()
    def duplicate(self, *args, **kw):
        _check_open()
        return super().duplicate(*args, **kw)

    @http.route()
    def drop(self, *args, **kw):
        _check_open()
        return super().drop(*args, **kw)

    @http.route()
    def backup(self, *args, **kw):
        _check_open()
        return super().backup(*args, **kw)

    @http.route()
    def restore(self, *args, **kw):
        _check_open()
        return super().restore(*args, **kw)

    @http.route()
    def change_password(self, *args, **kw):
        _check_open()
        return super().change_password(*args, **kw)

    @http.route()
    def list(self):
        _check_open()
        return super().list()
