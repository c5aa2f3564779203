from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.expressions import refuse_expressions
from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
    ResolveRequest,
    Result,
    Standing,
    get_payment_state,
)
from odoo.addons.spar_mapper_connector.lib.matching import match_results
from odoo.addons.spar_mapper_connector.transactions import STOPPED
from odoo.addons.spar_registry.lib.calls import build_call
from odoo.addons.spar_registry.lib.identity import RegistryIdentity
from odoo.addons.spar_registry.lib.readiness import (
    Finding,
    ReadinessState,
    read_standing,
)

from ...lib.orders import PaymentOrder

#: People in one call of a mapper.
CHUNK = 1000
_NO_PAYEE = Finding(ReadinessState.NO_PAYEE)
_HIDDEN = Finding(ReadinessState.ERROR, "hidden")
_UNAVAILABLE = Finding(ReadinessState.ERROR, "unavailable")


class SparPayeeFinder(models.AbstractModel):
    """Who would be paid among many people, and to which address."""

    _name = "spar.payee.finder"
    _description = "Payees of a list of people"

    # === BEFORE PAYMENTS ARE PREPARED === #

    @api.model
    def _examine(self, programme, people) -> tuple[dict[int, Finding], dict[int, int]]:
        """Return whether each person would be paid now, and who is paid, by row id.

        No address is asked for. It reads what the user may read: nobody else's IDs.
        """
        checker = self.env["spar.readiness.checker"]
        findings: dict[int, Finding] = {}
        payees: dict[int, int] = {}
        for row_ids in _split(people.ids):
            found, paid = checker._check_people(list(row_ids), programme)
            findings |= found
            payees |= paid
        return findings, payees

    # === WHEN PAYMENTS ARE SENT === #

    @api.model
    def _resolve(
        self, programme, payments
    ) -> tuple[list[PaymentOrder], dict[int, Finding], dict[int, int]]:
        """Return the orders for payments; why others cannot be sent; who is paid.

        Addresses are in clear: the caller sends them, and stores nothing of them.
        Findings and payees are by the row id of the person. Raises
        CalledFromExpression.
        """
        refuse_expressions()
        addresses: dict[int, str] = {}
        held: dict[int, Finding] = {}
        payees: dict[int, int] = {}
        for row_ids in _split(payments.partner_id.ids):
            paid, found = self._resolve_chunk(programme, list(row_ids))
            payees |= paid
            for person_id, (address, finding) in found.items():
                if finding:
                    held[person_id] = finding
                else:
                    addresses[person_id] = address
        ready = payments.filtered(lambda each: each.partner_id.id in addresses)
        return self._build_orders(ready, payees, addresses), held, payees

    @api.model
    def _resolve_chunk(
        self, programme, person_ids: list[int]
    ) -> tuple[dict[int, int], dict[int, tuple[str, Finding | None]]]:
        """Return who is paid for each person; and where, or why not."""
        checker = self.env["spar.readiness.checker"]
        seen = checker._get_seen(person_ids)
        paid = programme._find_payees(self.env["res.partner"].browse(sorted(seen)))
        wanted = sorted(checker._get_seen(set(paid.values())))
        chosen, refused = checker._choose_identities(wanted, programme)
        answers = self._ask_addresses(list(chosen.values()), programme.purpose or "")
        found: dict[int, tuple[str, Finding | None]] = {
            person_id: ("", _NO_PAYEE if person_id in seen else _HIDDEN)
            for person_id in person_ids
        }
        for person_id, payee_id in paid.items():
            identity = chosen.get(payee_id)
            found[person_id] = (
                answers[identity.id_value]
                if identity
                else ("", refused.get(payee_id, _HIDDEN))
            )
        return {key: one for key, one in paid.items() if one in wanted}, found

    @api.model
    def _ask_addresses(
        self, identities: list[RegistryIdentity], purpose: str
    ) -> dict[str, tuple[str, Finding | None]]:
        """Return each ID's address, or "" and why there is none."""
        by_type: dict[int, list[str]] = {}
        for identity in identities:
            by_type.setdefault(identity.type_id, []).append(identity.id_value)
        found: dict[str, tuple[str, Finding | None]] = {}
        for type_id, id_values in by_type.items():
            ids = list(dict.fromkeys(id_values))
            try:
                results = self._ask_mapper(type_id, ids, purpose)
            except (MapperError, *STOPPED):
                found |= dict.fromkeys(ids, ("", _UNAVAILABLE))
                continue
            for id_value, result in zip(ids, match_results(ids, results), strict=True):
                found[id_value] = _read_result(id_value, purpose, result)
        return found

    @api.model
    def _ask_mapper(self, type_id: int, ids: list[str], purpose: str) -> list[Result]:
        checker = self.env["spar.readiness.checker"]
        requests = [ResolveRequest(id_value, purpose=purpose) for id_value in ids]
        with self.env.cr.savepoint():
            mapper_sudo = checker._get_mapper_sudo(type_id)
            return mapper_sudo._resolve_fa(build_call(self.env.uid), requests)

    @api.model
    def _build_orders(
        self, payments, payees: dict[int, int], texts: dict[int, str]
    ) -> list[PaymentOrder]:
        strategies = self.env["spar.fa.strategy"]
        partners = self.env["res.partner"]
        clear = [texts[payment.partner_id.id] for payment in payments]
        addresses = strategies._read_addresses(clear)
        forms = strategies._canonicalise_addresses(clear)
        providers_sudo = self.env["spar.fsp"].sudo()
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        orders = []
        for payment, address, form in zip(payments, addresses, forms, strict=True):
            provider_sudo = providers_sudo.browse(address.provider_id or ())
            branch_sudo = branches_sudo.browse(address.branch_id or ())
            orders.append(
                PaymentOrder(
                    payment_id=payment.id,
                    reference=payment.name,
                    payee=partners.browse(payees[payment.partner_id.id]).name,
                    amount=_write_amount(payment),
                    currency=payment.currency_id.name or "",
                    narrative=f"{payment.program_id.name} - {payment.cycle_id.name}",
                    address=address.text,
                    kind=address.type_code or "",
                    account=" ".join(form.accounts),
                    provider_code=provider_sudo.code or "",
                    branch_code=branch_sudo.code or "",
                )
            )
        return orders


def _split(row_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(row_ids), CHUNK):
        yield row_ids[start : start + CHUNK]


def _read_result(
    id_value: str, purpose: str, result: Result | None
) -> tuple[str, Finding | None]:
    """Return the address in a mapper's answer, or "" and why there is none."""
    if result is None:
        return "", read_standing(None)
    if result.outcome is Outcome.FOUND and result.fa:
        return result.fa, None
    state = get_payment_state(result)
    return "", read_standing(Standing(id_value, purpose, state))


def _write_amount(payment) -> str:
    """Return an amount with the decimal places of its currency."""
    places = payment.currency_id.decimal_places if payment.currency_id else 2
    amount = Decimal(str(payment.amount_issued))
    return str(amount.quantize(Decimal(10) ** -places, rounding=ROUND_HALF_UP))
