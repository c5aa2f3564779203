"""The common part of all work on the store: the caller, keys, a cursor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib.audit import Finding
from ..lib.ledger import Ledger
from ..lib.records import ID_FORM, KEY_FORM, ProofRow
from .database import StoreCursor
from .loading import BuildKeys, Loader
from .saving import EndsCallback, NoticesCallback, Saver


@dataclass(frozen=True)
class Work:
    """One call's work, in the transaction that is open.

    :param get_now: returns the present time in naive UTC; it is called after locking,
        so that time never runs backwards along an ID, as a transaction's own start
        would
    :param on_ends: called with the changes that have ended
    :param on_notices: called with the contacts of new notices, by event
    :param build_keys: returns a key for each address, which does not depend on how it
        is written
    :param id_form: the number of the form in which new IDs are written
    :param address_form: the number of the form in which addresses are written
    :param older_below: addresses with a lower form number may have another form now
    :param proof: the owner's proof of the call's one change, verified
    :param provisional_type: the type of the IDs that only the registry issues
    """

    call: CallContext
    cr: StoreCursor
    keyring: OpenKeyring
    get_now: Callable[[], datetime]
    on_ends: EndsCallback
    on_notices: NoticesCallback
    build_keys: BuildKeys
    id_form: int = ID_FORM
    address_form: int = KEY_FORM
    older_below: int = KEY_FORM
    proof: ProofRow | None = None
    provisional_type: int = 0
    #: Rows that cannot be trusted: the caller raises alarms for them.
    problems: list[Finding] = field(default_factory=list)

    def load(self) -> Loader:
        """Return a loader that reports to this work's problems."""
        tools = (self.keyring, self.build_keys, self.id_form, self.older_below)
        loader = Loader(self.call, self.cr, *tools)
        loader.problems = self.problems
        return loader

    def begin(self) -> Ledger:
        """Return an empty ledger, whose time is now."""
        return Ledger(
            self.call, self.keyring, self.get_now(), self.address_form, self.proof
        )

    def save(self, ledger: Ledger) -> None:
        """Write the results."""
        saver = Saver(self.cr, self.keyring, self.on_ends, self.on_notices)
        saver.save(ledger)
