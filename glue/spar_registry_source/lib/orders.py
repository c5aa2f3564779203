"""Payments with the addresses that they go to, on their way to whoever pays them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from odoo.addons.spar_fa_directory.lib.csv_file import guard_cell

#: The columns of a payment file. Programs of banks read them: add, never rename.
COLUMNS = (
    "reference",
    "payee",
    "address",
    "kind",
    "account",
    "provider_code",
    "branch_code",
    "amount",
    "currency",
    "narrative",
)
#: A telephone number is no formula, and programs of banks read it as it is.
_PHONE = re.compile(r"\+[0-9]+")


@dataclass(frozen=True)
class PaymentOrder:
    """A payment and its address, in clear: it is never stored or logged.

    :param payment_id: the row id of the payment in the registry's own table
    :param address: the address as the mapper transmits it
    :param account: the number or text in it that names the account
    :param amount: as text, with a decimal point
    """

    payment_id: int
    reference: str
    payee: str
    amount: str
    currency: str
    narrative: str
    address: str = field(repr=False)
    kind: str = ""
    account: str = field(default="", repr=False)
    provider_code: str = ""
    branch_code: str = ""

    def get_cells(self) -> list[str]:
        """Return the cells of its row in a payment file."""
        return [_guard(str(getattr(self, column))) for column in COLUMNS]


def _guard(text: str) -> str:
    """Return a cell that no spreadsheet reads as a formula.

    >>> _guard("=1+1"), _guard("+254700000001")
    ("'=1+1", '+254700000001')
    """
    return text if _PHONE.fullmatch(text) else guard_cell(text)


def write_payment_file(orders: Iterable[PaymentOrder]) -> str:
    r"""Return a CSV file with a row for each order, in which no cell is a formula.

    >>> order = PaymentOrder(1, "r", "=Ada", "5.00", "EUR", "", "account:01", "bank")
    >>> write_payment_file([order]).splitlines()[1]
    "r,'=Ada,account:01,bank,,,,5.00,EUR,"
    >>> "account:01" in repr(order)
    False
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(order.get_cells() for order in orders)
    return text.getvalue()
