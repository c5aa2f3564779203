from decimal import ROUND_HALF_UP, Decimal

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.expressions import refuse_expressions
from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
    ResolveRequest,
    get_payment_state,
)
from odoo.addons.spar_mapper_connector.transactions import STOPPED
from odoo.addons.spar_registry.lib.identity import choose_identity
from odoo.addons.spar_registry.lib.outbox import match_results

from ...lib.findings import (
    NO_ANSWER,
    NO_IDENTITY,
    NO_PAYEE,
    SHARED_IDENTITY,
    UNAVAILABLE,
    Finding,
    get_reason,
    match_standings,
    split,
)
from ...lib.orders import PaymentOrder

#: People in one call of a mapper.
CHUNK = 1000


class SparPayeeFinder(models.AbstractModel):
    """Find who is paid for people, and ask the mapper, for many of them at once."""

    _name = "spar.payee.finder"
    _description = "Payees of a list of people"

    # === BEFORE PAYMENTS ARE PREPARED === #

    @api.model
    def _examine(self, programme, people) -> dict[int, Finding]:
        """Return for each person, by row id, whether they would be paid now.

        No address is asked for. It reads what the user may read: nobody else's IDs.
        """
        findings: dict[int, Finding] = {}
        for row_ids in split(people.ids, CHUNK):
            chunk = people.browse(row_ids)
            named = self._find_identities(programme, chunk)
            findings |= {one.partner_id: one for one in named if one.reason}
            ready = [one for one in named if one.is_ready]
            for type_id in {one.type_id for one in ready}:
                of_type = [one for one in ready if one.type_id == type_id]
                reasons = self._ask_standings(programme, type_id, of_type)
                findings |= {
                    one.partner_id: _with_reason(one, reasons[one.id_value])
                    for one in of_type
                }
        return findings

    @api.model
    def _find_identities(self, programme, people) -> list[Finding]:
        """Return who is paid for each person, and by which ID, or why nobody is."""
        payee_ids = programme._find_payees(people)
        payees = people.browse(sorted(set(payee_ids.values())))
        identities = payees._spar_identities()
        type_ids = programme.id_type_ids.ids
        found = []
        for person_id in people.ids:
            payee_id = payee_ids.get(person_id)
            if not payee_id:
                found.append(Finding(person_id, NO_PAYEE))
                continue
            chosen = choose_identity(identities[payee_id], type_ids)
            if chosen is None:
                found.append(Finding(person_id, NO_IDENTITY, payee_id))
                continue
            reason = SHARED_IDENTITY if chosen.is_shared else ""
            found.append(
                Finding(person_id, reason, payee_id, chosen.type_id, chosen.id_value)
            )
        return found

    @api.model
    def _ask_standings(
        self, programme, type_id: int, findings: list[Finding]
    ) -> dict[str, str]:
        """Return why the owner of each ID would not be paid, "" if they would."""
        ids = list(dict.fromkeys(one.id_value for one in findings))
        purpose = programme.purpose or ""
        try:
            with self.env.cr.savepoint():
                mapper_sudo = self._get_mapper_sudo(type_id)
                call = self.env["spar.person.address"]._build_call()
                standings = mapper_sudo._standing(call, ids, purpose)
        except (MapperError, *STOPPED):
            return dict.fromkeys(ids, UNAVAILABLE)
        matched = match_standings(ids, standings)
        return {id_value: get_reason(matched[id_value]) for id_value in ids}

    @api.model
    def _get_mapper_sudo(self, type_id: int):
        id_type = self.env["spar.id.type"].browse(type_id)
        return self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()

    # === WHEN PAYMENTS ARE SENT === #

    @api.model
    def _resolve(
        self, programme, payments
    ) -> tuple[list[PaymentOrder], dict[int, Finding]]:
        """Return the orders for payments, and why the others cannot be sent.

        Addresses are in clear: the caller sends them, and stores nothing of them. The
        findings are by the row id of the person. Raises CalledFromExpression.
        """
        refuse_expressions()
        people = payments.partner_id
        findings, addresses = {}, {}
        for row_ids in split(people.ids, CHUNK):
            named = self._find_identities(programme, people.browse(row_ids))
            for type_id in {one.type_id for one in named if one.is_ready}:
                of_type = [
                    one for one in named if one.is_ready and one.type_id == type_id
                ]
                addresses |= self._ask_addresses(programme, type_id, of_type)
            for one in named:
                _fa, reason = addresses.get(one.id_value, ("", one.reason))
                findings[one.partner_id] = _with_reason(one, one.reason or reason)
        ready = payments.filtered(lambda each: findings[each.partner_id.id].is_ready)
        texts = {
            payment.id: addresses[findings[payment.partner_id.id].id_value][0]
            for payment in ready
        }
        orders = self._build_orders(ready, findings, texts)
        return orders, {key: one for key, one in findings.items() if one.reason}

    @api.model
    def _ask_addresses(
        self, programme, type_id: int, findings: list[Finding]
    ) -> dict[str, tuple[str, str]]:
        """Return each ID's address and "", or "" and why there is none."""
        ids = list(dict.fromkeys(one.id_value for one in findings))
        purpose = programme.purpose or ""
        requests = [ResolveRequest(id_value, purpose=purpose) for id_value in ids]
        try:
            with self.env.cr.savepoint():
                mapper_sudo = self._get_mapper_sudo(type_id)
                call = self.env["spar.person.address"]._build_call()
                results = mapper_sudo._resolve_fa(call, requests)
        except (MapperError, *STOPPED):
            return dict.fromkeys(ids, ("", UNAVAILABLE))
        found = {}
        for id_value, result in zip(ids, match_results(ids, results), strict=True):
            if result is None:
                found[id_value] = ("", NO_ANSWER)
            elif result.outcome is Outcome.FOUND and result.fa:
                found[id_value] = (result.fa, "")
            else:
                found[id_value] = ("", get_payment_state(result).value)
        return found

    @api.model
    def _build_orders(
        self, payments, findings: dict[int, Finding], texts: dict[int, str]
    ) -> list[PaymentOrder]:
        strategies = self.env["spar.fa.strategy"]
        clear = [texts[payment.id] for payment in payments]
        addresses = strategies._read_addresses(clear)
        forms = strategies._canonicalise_addresses(clear)
        providers_sudo = self.env["spar.fsp"].sudo()
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        return [
            PaymentOrder(
                payment_id=payment.id,
                reference=payment.name,
                payee=self.env["res.partner"]
                .browse(findings[payment.partner_id.id].payee_id)
                .name,
                amount=_write_amount(payment),
                currency=payment.currency_id.name or "",
                narrative=f"{payment.program_id.name} - {payment.cycle_id.name}",
                address=text,
                kind=address.type_code or "",
                account=" ".join(form.accounts),
                provider_code=providers_sudo.browse(address.provider_id or ()).code
                or "",
                branch_code=branches_sudo.browse(address.branch_id or ()).code or "",
            )
            for payment, text, address, form in zip(
                payments, clear, addresses, forms, strict=True
            )
        ]


def _with_reason(finding: Finding, reason: str) -> Finding:
    return Finding(
        finding.partner_id, reason, finding.payee_id, finding.type_id, finding.id_value
    )


def _write_amount(payment) -> str:
    """Return an amount with the decimal places of its currency."""
    places = payment.currency_id.decimal_places if payment.currency_id else 2
    amount = Decimal(str(payment.amount_issued))
    return str(amount.quantize(Decimal(10) ** -places, rounding=ROUND_HALF_UP))
