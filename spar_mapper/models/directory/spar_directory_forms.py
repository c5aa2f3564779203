"""Directory changes that may alter the form of addresses."""

from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, models

from ...lib.rule_changes import RuleChanges
from .spar_directory_trial import CHANGES

#: Context key, set during a rehearsal: the save that the rehearsal belongs to.
_SAVE = "spar_rule_save"


class SparAddressRule(models.AbstractModel):
    """The role of a directory record that governs how addresses are read.

    If such a record is created, deleted or changed, a background job checks the
    addresses that it can concern, and those that could not be read before. Before a
    save that alters any of them, a user has to see the effect
    (``spar.directory.trial``). The role comes first in ``_inherit``, so that a save is
    complete before addresses are checked.
    """

    _name = "spar.address.rule"
    _description = "Rule for reading addresses"

    #: The fields that govern reading; no others matter.
    _forming: frozenset[str] = frozenset()
    #: Whether such a record has an effect by itself, not only through records that use
    #: it.
    _reads_addresses = True
    #: Those of the fields with which the numbers themselves are compared.
    _testing: frozenset[str] = frozenset()

    def _tests_numbers(self, vals: dict) -> bool:
        """Return whether writing ``vals`` compares stored numbers with a pattern."""
        return not self._testing.isdisjoint(vals)

    def _get_scope(self) -> dict[str, set[int]]:
        """Return the ids of providers and kinds whose addresses these can concern."""
        raise NotImplementedError

    def _check_addresses(self, changes: RuleChanges) -> None:
        # Changes of this transaction must be visible to the query.
        self.env.flush_all()
        self.env["spar.row.versions"]._forget()
        self.env["spar.form.run"].sudo()._begin_addresses(changes.to_scope())

    @contextmanager
    def _changing(self, values, ids: list[int]) -> Iterator[tuple]:
        """Make a change whose effect on addresses a user must see first.

        A change made in the course of another belongs to that one, and addresses are
        checked once, after all of it is saved. Yields these records in the context of
        the change, and the object that records what it can concern.
        """
        begun = self.env.context.get(CHANGES)
        changes = begun if isinstance(begun, RuleChanges) else RuleChanges()
        if changes.saved:
            yield self, changes
            return
        noted, changes.saved = changes.noted, (self._name, ids, values)
        try:
            yield self.with_context(**{CHANGES: changes}), changes
            if changes.noted > noted and not changes.is_rehearsed:
                self._check_addresses(changes)
                self._check_seen(changes)
        finally:
            changes.saved = None

    def _check_seen(self, changes: RuleChanges) -> None:
        """Refuse a change whose effect no user has seen; raises Redirection."""
        if not changes.is_seen:
            self.env["spar.directory.trial"]._check_seen(changes)

    @api.model_create_multi
    def create(self, vals_list):
        with self._changing(vals_list, []) as (model, changes):
            records = super(SparAddressRule, model).create(vals_list)
            changes.tests_numbers |= any(map(self._tests_numbers, vals_list))
            if self._reads_addresses:
                changes.add(records._get_scope())
        return records.with_env(self.env)

    def write(self, vals):
        with self._changing(vals, self.ids) as (records, changes):
            is_rule = bool(self._forming & vals.keys())
            if is_rule:
                changes.tests_numbers |= self._tests_numbers(vals)
                changes.add(records._get_scope())
            result = super(SparAddressRule, records).write(vals)
            if is_rule:
                changes.add(records._get_scope())
        return result

    def unlink(self):
        with self._changing(None, self.ids) as (records, changes):
            scope = records._get_scope()
            result = super(SparAddressRule, records).unlink()
            if self._reads_addresses:
                changes.add(scope)
        return result


class SparApprovedRule(models.AbstractModel):
    """A rule that two people change.

    The first of them sees what it does to addresses before a second one decides.
    """

    _name = "spar.approved.rule"
    _inherit = "spar.address.rule"
    _description = "Rule for reading addresses that two people change"

    def _check_seen(self, changes):
        # An approval applies what the proposer was already shown.
        return None if self._may_write_at_once() else super()._check_seen(changes)

    def _rehearse(self, values):
        save = self.env.context.get(CHANGES)
        context = {CHANGES: RuleChanges(is_rehearsed=True), _SAVE: save}
        return super(SparApprovedRule, self.with_context(**context))._rehearse(values)

    def _inspect_rehearsal(self):
        result = super()._inspect_rehearsal()
        changes, save = self.env.context[CHANGES], self.env.context[_SAVE]
        if changes.has_any and not save.is_seen:
            changes.saved = save.saved
            self._seal_unfinished(save.saved[0])
            self.env["spar.row.versions"]._forget()
            self.env["spar.directory.trial"]._check_seen(changes)
        return result

    def _seal_unfinished(self, model: str) -> None:
        """Seal the records that are being saved and have led to this save.

        Otherwise they would be sealed only once all of them exist. The rehearsal undoes
        it.
        """
        seals_sudo = self.env["spar.settings.seal"].sudo()
        sealed = self.env.registry["spar.sealed.setting"]._inherit_children
        if model in sealed and seals_sudo._is_needed():
            seals_sudo._seal_as_it_is(self.env[model].sudo())


class SparFsp(models.Model):
    _name = "spar.fsp"
    _inherit = ["spar.approved.rule", "spar.fsp"]
    _forming = frozenset(
        {
            "code",
            "kind",
            "bic",
            "country_id",
            "account_pattern",
            "account_shortest",
            "account_longest",
            "account_check",
            "account_check_parameter",
            "phone_prefixes",
            "branch_code_form",
        }
    )

    _testing = frozenset(
        {
            "account_pattern",
            "account_shortest",
            "account_longest",
            "account_check",
            "account_check_parameter",
        }
    )

    def _tests_numbers(self, vals):
        """Return whether any address can be concerned by such a pattern.

        No address has a provider yet that is not in use, but a new prefix may take
        wallets from other providers.
        """
        if vals.get("phone_prefixes"):
            return True
        return bool(super()._tests_numbers(vals) and self and self._is_used())

    def _get_scope(self):
        return {"providers": set(self.ids)}


class SparFspBranch(models.Model):
    """A branch; addresses name one as soon as their provider has any."""

    _name = "spar.fsp.branch"
    _inherit = ["spar.address.rule", "spar.fsp.branch"]
    _forming = frozenset({"code", "active", "provider_id"})

    def _get_scope(self):
        return {"providers": set(self.provider_id.ids)}

    def _is_over(self):
        return super()._is_over() or self.provider_id._is_over()


class SparFaType(models.Model):
    """A kind of address: the parts and strategies that come with it govern reading."""

    _name = "spar.fa.type"
    _inherit = ["spar.approved.rule", "spar.fa.type"]
    _forming = frozenset({"active", "provider_kind"})
    _testing = _forming
    _reads_addresses = False

    def _get_scope(self):
        return {"types": set(self.ids)}


class SparFaStrategy(models.Model):
    _name = "spar.fa.strategy"
    _inherit = ["spar.approved.rule", "spar.fa.strategy"]
    _forming = frozenset({"template", "is_default", "is_approved", "active"})
    _testing = _forming

    def _get_scope(self):
        return {"types": set(self.type_id.ids)}


class SparFaTypePart(models.Model):
    _name = "spar.fa.type.part"
    _inherit = ["spar.approved.rule", "spar.fa.type.part"]
    _forming = frozenset(
        {"key", "kind", "check_code", "check_parameter", "gaps_do_not_count", "type_id"}
    )
    _testing = _forming

    def _get_scope(self):
        return {"types": set(self.type_id.ids)}
