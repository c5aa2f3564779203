from dataclasses import dataclass

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import format_date

from odoo.addons.spar_mapper_connector.exceptions import MapperError, OtherOffice
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    Outcome,
    PaymentState,
    ResolveRequest,
    Result,
    get_payment_state,
)
from odoo.addons.spar_mapper_connector.lib.waiting import TimeLimits
from odoo.addons.spar_mapper_connector.transactions import (
    STOPPED,
    limit_transaction,
)

from ...exceptions import RegistryError
from ...lib.calls import build_call

#: A person's form waits no longer than this for the mapper.
BUTTON_LIMITS = TimeLimits(lock_seconds=1, statement_seconds=2)

#: The answers for an ID of nobody whom the mapper knows, or shows.
_MISSES = (Outcome.NOT_LINKED, Outcome.INVALID_ID, Outcome.FORBIDDEN)

_VIEWER = "spar_registry.group_programme_viewer"


@dataclass(frozen=True)
class ShownAddress:
    """A person's address as the mapper answers now, masked."""

    state: PaymentState
    text: str = ""
    type_id: int | None = None
    provider_id: int | None = None
    branch_id: int | None = None


@dataclass(frozen=True)
class ShownPeriod:
    """An address over one stretch of time, masked; the dates are in words."""

    text: str
    since: str
    until: str


class SparPersonAddress(models.AbstractModel):
    """What the mapper says of a person's address, live and masked.

    Nothing of it is stored: the mapper is the truth. Each ID that is read counts as a
    lookup of the user, see ``spar.registry.lookup``: anybody may have typed any ID into
    a contact.
    """

    _name = "spar.person.address"
    _description = "Financial address of a person"

    @api.model
    def _read(self, partner, programme=None) -> ShownAddress:
        """Return the address in force for the person who is paid.

        Raises RegistryError where nobody can be paid or the user has looked up too many
        people, AccessError for people whom the user does not see, and MapperError.
        """
        self._check(partner)
        programme = programme or self.env["spar.programme"]
        mapper_sudo, id_value = self._find_mapper_sudo(partner, programme)
        result = self._look_up(mapper_sudo, id_value, programme)
        state = get_payment_state(result)
        if result.outcome is not Outcome.FOUND or not result.fa:
            return ShownAddress(state)
        (address,) = self.env["spar.fa.strategy"]._read_addresses([result.fa])
        (text,) = self.env["spar.masked.words"]._write_addresses([result.fa])
        return ShownAddress(
            state, text, address.type_id, address.provider_id, address.branch_id
        )

    @api.model
    def _read_history(self, partner, programme=None) -> list[ShownPeriod]:
        """Return the person's addresses, newest first; none without that capability.

        Raises the same as ``_read``.
        """
        self._check(partner)
        programme = programme or self.env["spar.programme"]
        mapper_sudo, id_value = self._find_mapper_sudo(partner, programme)
        if Capability.HISTORY not in mapper_sudo._capabilities():
            return []
        self._look_up(mapper_sudo, id_value, programme)
        periods = mapper_sudo._history(build_call(self.env.uid), id_value)
        words = self.env["spar.masked.words"]
        masks = words._write_addresses([period.fa for period in periods])
        return [
            ShownPeriod(
                mask,
                format_date(self.env, period.valid_from),
                format_date(self.env, period.valid_to) or "",
            )
            for period, mask in zip(periods, masks, strict=True)
        ]

    @api.model
    def _check(self, partner) -> None:
        """Raise AccessError unless the user may see the person's address, masked."""
        partner.ensure_one()
        partner.check_access("read")
        if not self.env.user.has_group(_VIEWER):
            raise AccessError(
                self.env._(
                    "You do not have permission to do this. Ask an administrator."
                )
            )

    @api.model
    def _find_mapper_sudo(self, partner, programme):
        """Return the mapper for the ID of the person who is paid, and the ID."""
        _payee, chosen = partner._spar_get_paid(programme)
        id_type = self.env["spar.id.type"].browse(chosen.type_id)
        mapper_sudo = self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()
        return mapper_sudo, chosen.id_value

    @api.model
    def _look_up(self, mapper_sudo, id_value: str, programme) -> Result:
        """Return what a mapper answers for an ID, counted as a lookup of the user.

        A mapper that cannot answer discloses nothing: that is no miss. Raises
        LookupLimit, OtherOffice and other MapperError.
        """
        lookups = self.env["spar.registry.lookup"]
        lookups._charge(id_value)
        request = ResolveRequest(id_value, purpose=programme.purpose or "")
        try:
            result = mapper_sudo._look_up(build_call(self.env.uid), request)
        except OtherOffice:
            raise
        except MapperError:
            lookups._note_found(id_value)
            raise
        if result.outcome not in _MISSES:
            lookups._note_found(id_value)
        return result

    # === FOR THE BUTTON === #

    @api.model
    def _get_button(self, partner) -> dict[str, str]:
        """Return the texts of the button, whatever happens, within two seconds."""
        try:
            limit_transaction(self.env.cr, BUTTON_LIMITS)
            self._check(partner)
            shown = self._read(partner, partner._spar_get_usual_programme())
        except (RegistryError, OtherOffice) as error:
            return {"state": self._get_missing_text(error.code), "text": ""}
        except (MapperError, *STOPPED):
            return {"state": self.env._("Cannot be shown now"), "text": ""}
        return {"state": self._get_state_text(shown.state), "text": shown.text}

    @api.model
    def _get_state_text(self, state: PaymentState) -> str:
        texts = {
            PaymentState.PAYABLE: self.env._("Linked"),
            PaymentState.NOT_LINKED: self.env._("Not linked"),
            PaymentState.STOPPED: self.env._("Payments stopped"),
            PaymentState.PROVIDER_CLOSED: self.env._("Provider closed"),
            PaymentState.CONTESTED: self.env._("ID of several people"),
            PaymentState.LOCKED: self.env._("Locked"),
            PaymentState.INVALID_ID: self.env._("Invalid ID"),
            PaymentState.UNKNOWN: self.env._("Unknown"),
        }
        return texts[state]

    @api.model
    def _get_missing_text(self, code: str) -> str:
        texts = {
            "no_payee": self.env._("Nobody is paid"),
            "no_identity": self.env._("No ID"),
            "shared_identity": self.env._("Shared ID"),
            "lookup_limit": self.env._("Limit of 24 hours reached"),
            "other_office": self.env._("Person of another office"),
        }
        return texts.get(code) or self.env._("Cannot be shown now")
