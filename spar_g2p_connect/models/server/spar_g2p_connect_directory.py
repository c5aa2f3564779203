from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote, urlencode

from odoo import api, models

from odoo.addons.spar_fa_directory.lib.directory_page import (
    DirectoryPage,
    SearchCriteria,
)
from odoo.addons.spar_fa_directory.models.provider.spar_fsp import KINDS

from ...const import DIRECTORY_PATH
from ...exceptions import HttpRefused
from ...lib.directory_query import (
    BRANCH_MEMBERS,
    PROVIDER_MEMBERS,
    read_criteria,
    read_members,
    refuse,
)
from ...lib.locales import choose_accepted


class SparG2pConnectDirectory(models.AbstractModel):
    """The directory over REST: a query string in, a document and headers out."""

    _name = "spar.g2p.connect.directory"
    _description = "Directory over REST"

    @api.model
    def _list_providers(self, raw: bytes, accepted: Iterable[str]) -> tuple:
        """Return a page of providers; raises RequestRefused."""
        members = read_members(raw, PROVIDER_MEMBERS)
        directory, headers = self._get_directory(accepted)
        criteria = self._read_provider_criteria(members)
        page = self._find(criteria, directory._find_providers)
        path = f"{DIRECTORY_PATH}/providers"
        return self._build_answer("providers", page, path, members, headers)

    @api.model
    def _list_branches(self, code: str, raw: bytes, accepted: Iterable[str]) -> tuple:
        """Return a page of a provider's branches.

        Raises RequestRefused or HttpRefused.
        """
        members = read_members(raw, BRANCH_MEMBERS)
        directory, headers = self._get_directory(accepted)

        def find(criteria: SearchCriteria) -> DirectoryPage:
            page = directory._find_branches(code, criteria)
            if page is None:
                text = "there is no provider with this code"
                raise HttpRefused(404, "err.request.not_found", text)
            return page

        page = self._find(read_criteria(members), find)
        path = f"{DIRECTORY_PATH}/providers/{quote(code, safe='')}/branches"
        return self._build_answer("branches", page, path, members, headers)

    @api.model
    def _list_fa_types(self, raw: bytes, accepted: Iterable[str]) -> tuple:
        """Return all kinds of address; raises RequestRefused."""
        read_members(raw, frozenset())
        directory, headers = self._get_directory(accepted)
        return {"fa_types": directory._list_fa_types()}, headers

    # === READING === #

    @api.model
    def _get_directory(self, accepted: Iterable[str]) -> tuple:
        """Return the directory in the caller's preferred language, and headers."""
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        language = choose_accepted(accepted, installed)
        headers = [
            ("Content-Language", (language or "en").replace("_", "-").split("@")[0]),
            ("Vary", "Accept-Language"),
        ]
        return self.env["spar.directory"].with_context(lang=language or None), headers

    @api.model
    def _read_provider_criteria(self, members: dict[str, str]) -> SearchCriteria:
        criteria = read_criteria(members)
        if criteria.kind and criteria.kind not in dict(KINDS):
            raise refuse("kind", f"must be one of {', '.join(dict(KINDS))}")
        directory = self.env["spar.directory"]
        if criteria.country and not directory._has_country(criteria.country):
            raise refuse("country", "must be the two-letter code of a country")
        if "type" not in members:
            return criteria
        kind = directory._get_kind(members["type"])
        if kind is None:
            raise refuse("type", "must be the code of a kind of address")
        if criteria.kind and kind and criteria.kind != kind:
            raise refuse("kind", "is not used by addresses of this type")
        return replace(criteria, kind=kind or criteria.kind)

    @api.model
    def _find(self, criteria: SearchCriteria, find) -> DirectoryPage:
        try:
            return find(criteria)
        except ValueError as error:
            text = "must be taken from the member next of a previous page"
            raise refuse("cursor", text) from error

    # === ANSWERING === #

    @api.model
    def _build_answer(
        self, name: str, page: DirectoryPage, path: str, members: dict, headers: list
    ) -> tuple:
        document = {name: page.items}
        if page.next:
            document["next"] = f"{path}?{urlencode({**members, 'cursor': page.next})}"
            headers = [*headers, ("Link", f'<{document["next"]}>; rel="next"')]
        return document, headers
