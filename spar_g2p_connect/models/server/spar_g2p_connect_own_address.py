import time
from dataclasses import replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    NotSupported,
    OwnerLoginExpired,
    OwnerLoginRefused,
    OwnerProofRefused,
    ServiceUnavailable,
    VisitNeeded,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    LockRequest,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeySetUnavailable
from odoo.addons.spar_mapper_connector.lib.proof_check import ProofRefused, check_login
from odoo.addons.spar_mapper_connector.lib.spar_wire.records import (
    OwnAddress,
    OwnRequest,
)

from ...lib.extension import disclose_periods


class SparG2pConnectOwnAddress(models.AbstractModel):
    """What a portal may read: the address of a person who has logged in there, masked.

    The portal is not believed. The person's ID token says who has logged in, to a
    client that the store lists; the ID that it asserts has to be the requested one. And
    that person has allowed the visit, on the store's own page, by a login of their own:
    who has a session at the provider may be logged in at a portal without knowing it.
    """

    _name = "spar.g2p.connect.own.address"
    _description = "A person's own address, for a portal"

    @api.model
    def _read(self, mapper, call: CallContext, request: OwnRequest) -> OwnAddress:
        """Return the person's own address, with every address masked.

        Raises OwnerLoginRefused, OwnerLoginExpired, VisitNeeded, or ServiceUnavailable
        where the issuer's keys cannot be fetched now.
        """
        self._check_owner(mapper, call, request)
        query = ResolveRequest(request.id_value, purpose=request.purpose)
        (result,) = mapper._resolve_fa(call, [query])
        periods = mapper._history(call, request.id_value)
        changes = mapper._waiting_changes(call, request.id_value)
        masked = self._mask([each.fa for each in (result, *periods, *changes)])
        own = call.actor.removeprefix("participant:")
        return OwnAddress(
            _disclose(result, next(masked)),
            disclose_periods(own, [replace(each, fa=next(masked)) for each in periods]),
            tuple(replace(each, fa=next(masked)) for each in changes),
            mapper._get_change_lock(call, request.id_value),
        )

    @api.model
    def _lock(self, mapper, call: CallContext, request: OwnRequest) -> Result:
        """Lock changes for the person who has logged in at this portal.

        Raises as ``_read`` does, and NotSupported where the person could not lift the
        lock again.
        """
        if Capability.CHANGE_LOCK not in mapper._capabilities():
            raise NotSupported(Capability.CHANGE_LOCK)
        self._check_owner(mapper, call, request)
        owner = replace(
            call,
            channel="portal",
            authority=Authority.OWNER,
            authenticated_by="login",
        )
        asked = LockRequest(request.id_value, request.purpose)
        (result,) = mapper._lock_changes(owner, [asked])
        return _disclose(result, "")

    @api.model
    def _mask(self, addresses: list[str | None]):
        """Yield the masked form of each address, "" for none."""
        strategies = self.env["spar.fa.strategy"]
        masked = strategies._mask_addresses([each or "" for each in addresses])
        for address, text in zip(addresses, masked, strict=True):
            yield text if address else ""

    # === THE LOGIN === #

    @api.model
    def _check_owner(self, mapper, call: CallContext, request: OwnRequest) -> None:
        """Raise unless the person has logged in at the portal and allowed the visit."""
        self._check_login(request)
        if not mapper._is_visited(call, request.visit, request.id_value):
            raise VisitNeeded()

    @api.model
    def _check_login(self, request: OwnRequest) -> None:
        """Raise unless the person with the requested ID has logged in at a portal."""
        issuers = self.env["spar.proof.issuer"]
        try:
            issuer_sudo = issuers._find_accepted(request.issuer)
            value = check_login(
                request.id_token,
                request.userinfo,
                issuer_sudo._get_portal_rules(),
                issuer_sudo._build_find_keys(),
                time.time(),
            )
            requested = self.env["spar.id.type"]._identify(request.id_value)
        except ProofRefused as error:
            if error.code == "expired":
                raise OwnerLoginExpired() from None
            raise OwnerLoginRefused() from None
        except (OwnerProofRefused, InvalidIdentifier):
            raise OwnerLoginRefused() from None
        except KeySetUnavailable:
            raise ServiceUnavailable("the issuer's keys are unavailable") from None
        if not issuer_sudo._asserts(value, requested):
            raise OwnerLoginRefused()


def _disclose(result: Result, masked: str) -> Result:
    return Result(
        result.outcome,
        fa=masked or None,
        version=result.version,
        problem=result.problem,
        provider=result.provider,
    )
