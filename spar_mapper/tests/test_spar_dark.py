"""A stolen dump reveals nothing: no ID, address, name or phone is in any table."""

import base64

from odoo.addons.spar_mapper_connector.lib.contract import Details

from .common import StoreCase, get_clear_forms

NAME, PHONE, NOTE = "Melisandre Quanah", "+15558675309", "clinic of Ostrava"
ID_VALUE, OTHER_VALUE = "Zx81-5550-Qqp", "Wv72-9911-Rrt"
ID, OTHER = f"token:{ID_VALUE}@nationalId", f"plainid-{OTHER_VALUE}"
NUMBERS = ("998877665544", "112233445566", "334455667788", "556677889900")
SECRETS = (NAME, "Melisandre", PHONE, NOTE, ID_VALUE, OTHER_VALUE, *NUMBERS)


class TestSparDark(StoreCase):
    def build_fa(self, index):
        return f"account:{NUMBERS[index]}@BR01.TESTBANK"

    def live(self):
        """Do everything that can happen to an ID and its address."""
        details = Details(NAME, PHONE, ({"note": NOTE},))
        self.link(ID, self.build_fa(0), details=details)
        self.update(ID, self.build_fa(1), details=details)
        self.suspend(ID)
        self.resume(ID)
        self.add_rule("approve", operation="update")
        self.update(ID, self.build_fa(2), details=details)
        self.add_rule("hold", operation="link")
        self.link(OTHER, self.build_fa(3), details=details)
        self.resolve(ID)
        self.resolve(fa=self.build_fa(1))
        self.unlink(ID, self.build_fa(2))
        self.unlink(ID, self.build_fa(1))

    def refuse(self):
        """Do everything that is refused."""
        self.link(ID, " ")
        self.link(f"{ID}\u200b", self.build_fa(0))
        self.update("x" * 256, self.build_fa(0))
        self.update(ID, self.build_fa(0), expected_version=99)
        self.unlink(OTHER, self.build_fa(0))
        self.resolve(OTHER)
        self.add_rule("refuse", sequence=0)
        self.link(f"{ID}2", self.build_fa(0))

    def test_no_table_holds_anything_in_clear(self):
        self.live()
        self.assertEqual(self.find_clear(*SECRETS), [])

    def test_refusals_leave_no_clear_value(self):
        self.live()
        self.refuse()
        self.assertEqual(self.find_clear(*SECRETS), [])

    def test_nor_after_tampering_and_its_alarm(self):
        self.live()
        mapping = self.mapping_of(ID)
        self.tamper("UPDATE spar_mapping SET sealed = '' WHERE id = %s", mapping.id)
        with self.catch_alarms():
            self.mapper._history(self.call, ID)
        self.assertEqual(self.find_clear(*SECRETS), [])

    def test_no_two_rows_show_that_an_address_is_the_same(self):
        for number in range(5):
            self.link(f"{ID}{number}", self.build_fa(0))
        self.env.cr.execute("SELECT count(*), count(DISTINCT sealed) FROM spar_mapping")
        self.assertEqual(*self.env.cr.fetchone())

    def test_commitments_to_the_same_address_differ_by_person(self):
        self.link(ID, self.build_fa(0))
        self.link(OTHER, self.build_fa(0))
        self.env.cr.execute(
            "SELECT count(*), count(DISTINCT commitment_after) FROM spar_event"
        )
        self.assertEqual(*self.env.cr.fetchone())


class TestScanner(StoreCase):
    """The scanner finds what it is intended to find."""

    def plant(self, text):
        """Leave ``text`` where a mistake could: in the reason of an event, in clear."""
        call = self.call.__class__(
            "participant:x", "rest", self.call.authority, reason=text
        )
        self.link("scanned", "account:1000001@BR01.TESTBANK", call)

    def test_a_planted_value_is_found_in_every_form(self):
        value = "Zx81-5550-Qqp+?>"
        data = value.encode()
        forms = {
            "plain": value,
            "other case": value.swapcase(),
            "hex": data.hex(),
            "capital hex": data.hex().upper(),
            "base64": base64.b64encode(data).decode(),
            "base64 behind one byte": base64.b64encode(b"1" + data + b"xy").decode(),
            "base64 behind two bytes": base64.b64encode(b"12" + data + b"x").decode(),
            "base64 behind three bytes": base64.b64encode(b"123" + data).decode(),
            "base64 for URLs": base64.urlsafe_b64encode(b"1" + data).decode(),
        }
        for name, text in forms.items():
            with self.subTest(name):
                self.env.cr.execute("SAVEPOINT planted")
                self.plant(f"because {text} said so")
                self.assertEqual(self.find_clear(value), [("spar_event", value)])
                self.env.cr.execute("ROLLBACK TO SAVEPOINT planted")
                self.env.invalidate_all()

    def test_a_value_planted_as_bytes_is_found(self):
        self.link("scanned", "account:1000001@BR01.TESTBANK")
        mapping = self.mapping_of("scanned")
        query = "UPDATE spar_mapping SET sealed = %s WHERE id = %s"
        self.tamper(query, b"\x01abc Zx81-5550-Qqp", mapping.id)
        self.assertEqual(
            self.find_clear("Zx81-5550-Qqp"), [("spar_mapping", "Zx81-5550-Qqp")]
        )

    def test_letters_beyond_ascii_are_found(self):
        for text in ("Žofie Ñandú", "\\u017dofie \\u00d1and\\u00fa"):
            with self.subTest(text):
                self.env.cr.execute("SAVEPOINT planted")
                self.plant(text)
                found = self.find_clear("Žofie Ñandú", tables="spar_event")
                self.assertEqual(bool(found), "\\" not in text)
                self.env.cr.execute("ROLLBACK TO SAVEPOINT planted")
                self.env.invalidate_all()

    def test_nothing_is_found_where_nothing_is(self):
        self.plant("nothing of that kind")
        self.assertEqual(self.find_clear("Zx81-5550-Qqp"), [])

    def test_every_alignment_of_base64_has_its_form(self):
        for length in (9, 10, 11):
            value = "Zx81-5550-Qqp"[:length]
            forms = get_clear_forms(value)
            for before in range(3):
                for behind in range(3):
                    data = b"?" * before + value.encode() + b"!" * behind
                    coded = base64.b64encode(data).decode().lower()
                    with self.subTest(length=length, before=before, behind=behind):
                        self.assertTrue(any(form in coded for form in forms))
