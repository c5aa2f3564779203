from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user

ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")


class DirectoryCase(TransactionCase):
    """A bank with two branches, a wallet, and a user of each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls.env["spar.fsp"].create(
            {
                "name": "Test Bank",
                "code": "TestBank",
                "bic": "TESTDEFFXXX",
                "branch_ids": [
                    (0, 0, {"name": "North", "code": "tb.n", "city": "Marn"}),
                    (0, 0, {"name": "South", "code": "TB-S", "city": "Sella"}),
                ],
            }
        )
        cls.north, cls.south = cls.bank.branch_ids
        cls.wallet = cls.env["spar.fsp"].create(
            {"name": "Test Wallet", "code": "TESTWALLET", "kind": "wallet"}
        )
        cls.strategies = cls.env["spar.fa.strategy"]
        cls.bank_type = cls.env.ref("spar_fa_directory.type_bank_account")
        cls.wallet_type = cls.env.ref("spar_fa_directory.type_mobile_wallet")

    @classmethod
    def _create_user(cls, role=None, login=None):
        groups = "base.group_user"
        if role:
            groups += f",spar_fa_directory.group_{role}"
        return new_test_user(cls.env, login or f"test_{role}", groups=groups)

    @classmethod
    def _read(cls, text):
        return cls.strategies._read_addresses([text])[0]

    def _assert_refused(self, text, function, *args, exception=ValidationError):
        """Assert that the call fails with that message (a pattern), without a trace."""
        with self.assertRaises(exception) as caught:
            function(*args)
        self.assertRegex(str(caught.exception), text)
