import logging

from odoo import api, models
from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    VisitRequest,
)

from ..lib.browser import VISIT
from .spar_my_confirmation import RETURN_PATH

_logger = logging.getLogger(__name__)

#: The call of these pages: nobody is logged in yet.
_CALL = CallContext("portal", "portal", Authority.OWNER)
#: The name of a proposal of a visit.
_NAME = "visit"


class SparMyVisit(models.AbstractModel):
    """A visit: a person lets these pages show them their own address, for a while.

    Mappers that ask for it have a page of their own, on which the person logs in. The
    login here comes after it, and the provider need not ask again.
    """

    _name = "spar.my.visit"
    _description = "Visit that a person allowed"

    @api.model
    def _is_needed(self, provider) -> bool:
        """Return whether the mapper of a provider's people asks for a visit."""
        try:
            mapper = self._get_mapper(provider)
            return Capability.VISIT in mapper._capabilities()
        except MapperError:
            return False

    @api.model
    def _propose(self, provider, for_staff: bool = False) -> ConfirmationPage:
        """Return the mapper's page on which a person allows it; raises MapperError.

        :param for_staff: whether they do so on an officer's device
        """
        frames = self.env["spar.page.frame"]
        base = frames._get_staff_base_url() if for_staff else frames._get_base_url()
        proposal = ChangeProposal(
            VisitRequest(),
            _NAME,
            return_url=base + RETURN_PATH,
            language=self.env.lang or "",
            issuer=provider.sudo().issuer,
        )
        return self._get_mapper(provider)._propose(_CALL, proposal)

    @api.model
    def _is_allowed(self, provider, reference: str) -> bool:
        """Return whether the person allowed it on that page; raises MapperError."""
        found = self._get_mapper(provider)._get_confirmation(_CALL, reference)
        is_decided = found.state is ConfirmationState.DECIDED
        return is_decided and found.draft_id == _NAME

    @api.model
    def _get_current(self) -> str:
        """Return the reference of the visit in this session, "" for none."""
        visit = request.session.get(VISIT) if request else None
        return visit["reference"] if visit else ""

    @api.model
    def _end(self, visit: dict) -> None:
        """End a visit at the mapper, where it ends by itself soon if this fails."""
        providers_sudo = self.env["auth.oauth.provider"].sudo()
        provider_sudo = providers_sudo.browse(visit["provider"]).exists()
        try:
            if self._is_needed(provider_sudo):
                self._get_mapper(provider_sudo)._end_visit(_CALL, visit["reference"])
        except MapperError as error:
            _logger.info("a visit was not ended at the mapper: %s", error.code)

    @api.model
    def _get_mapper(self, provider):
        backends = self.env["spar.mapper.backend"]
        return backends._get_mapper(provider.sudo().id_type_id).sudo()

    @api.model
    def _explain(self) -> str:
        """Return what happened where a person did not allow it."""
        return self.env._(
            "You did not finish signing in, so we cannot show your account."
        )
