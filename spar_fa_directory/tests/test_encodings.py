import io

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..lib.csv_file import CsvFormat, read_records
from ..lib.encodings import ENCODINGS, guess_bytes, guess_encoding, guess_stream

ARABIC = "رمز,اسم الفرع,المدينة\n1,بنك الأمل,الفرع الرئيسي\n2,بنك السلام,فرع الجامعة\n"
FRENCH = "name,city\nCrédit Agricole,Orléans\nSociété Générale,Besançon\nÎle,Orléans\n"
PORTUGUESE = "Banco São,João Pessoa\nAgência,Brasília\n"
SPANISH = "Telefónica,Nuñez\nBogotá,Medellín\n"
CZECH = "Česká spořitelna,Plzeň\nKomerční banka,Brno\nČSOB,Třebíč"
RUSSIAN = "Национальный банк Казахстана, отделение Алматы, улица Абая"
USUAL = [
    ("cp1252", FRENCH),
    ("cp1252", PORTUGUESE),
    ("cp1252", SPANISH),
    ("cp1252", "O’Neil’s bank"),
    ("cp1250", CZECH),
    ("cp1250", "Łódź"),
    ("cp1251", RUSSIAN),
    ("cp1253", "Εθνική Τράπεζα, Αθήνα"),
    ("cp1254", "Türkiye İş Bankası, Şişli, Beyoğlu"),
    ("cp1255", "בנק הפועלים, תל אביב"),
    ("cp1256", ARABIC),
]
ASKED = [
    ("mac-roman", FRENCH),
    ("mac-roman", PORTUGUESE),
    ("mac-roman", SPANISH),
    ("mac-roman", "BOGOTÁ"),
    ("cp850", FRENCH),
    ("cp850", PORTUGUESE),
    ("cp852", CZECH),
    ("mac-latin2", CZECH),
    ("iso8859-6", ARABIC),
    ("cp720", ARABIC),
    ("koi8-u", RUSSIAN),
    ("cp866", RUSSIAN),
    ("iso8859-5", RUSSIAN),
    ("mac-cyrillic", RUSSIAN),
    ("cp874", "ธนาคารกรุงเทพ, น่าน"),
    ("gb18030", "中国银行,北京分行"),
    ("big5hkscs", "中國銀行,台北分行"),
    ("cp949", "국민은행,서울지점"),
]


class TestGuesses(BaseCase):
    def test_usual_encodings_need_no_confirmation(self):
        for encoding, text in USUAL:
            with self.subTest(encoding=encoding, text=text):
                guess = guess_bytes(text.encode(encoding))
                self.assertEqual(text.encode(encoding).decode(guess.encoding), text)
                self.assertTrue(guess.sure)

    def test_rare_encoding_is_confirmed_with_the_right_one_first(self):
        for encoding, text in ASKED:
            with self.subTest(encoding=encoding, text=text):
                guess = guess_bytes(text.encode(encoding))
                self.assertEqual(text.encode(encoding).decode(guess.encoding), text)
                self.assertFalse(guess.sure)
                self.assertEqual(guess.readings[0].encoding, guess.encoding)
                self.assertGreater(len(guess.readings), 1)

    def test_ambiguous_encoding_is_confirmed(self):
        for text in ("Bogotá", "Văn"):
            with self.subTest(text=text):
                encoding = "cp1252" if text == "Bogotá" else "cp1258"
                self.assertFalse(guess_bytes(text.encode(encoding)).sure)

    def test_unicode_is_never_asked(self):
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
            data = ("name,code,city\n" + FRENCH).encode(encoding)
            with self.subTest(encoding=encoding):
                guess = guess_bytes(data)
                self.assertEqual(
                    data.decode(guess.encoding).lstrip("\ufeff")[:4], "name"
                )
                self.assertTrue(guess.sure)

    def test_one_spoilt_row_does_not_turn_utf_8_into_something_else(self):
        data = "São João\n".encode() * 3 + b"Orl\xe9ans\n"
        self.assertEqual(guess_encoding(data), "utf-8")

    def test_the_whole_file_is_looked_at(self):
        late = b"plain,1\n" * 400_000 + "Orléans,João,Besançon\n".encode("mac-roman")
        guess = guess_stream(io.BytesIO(late))
        self.assertEqual((guess.encoding, guess.sure), ("mac-roman", False))

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_no_bytes_are_an_error(self, data):
        self.assertIn(guess_bytes(data).encoding, ENCODINGS)
        self.assertIn(guess_stream(io.BytesIO(data)).encoding, ENCODINGS)


class TestReading(BaseCase):
    @settings(deadline=None)
    @given(st.sampled_from(sorted(ENCODINGS)), st.binary(max_size=200))
    def test_a_record_ends_where_it_ends_in_every_encoding(self, encoding, data):
        form = CsvFormat(encoding, ",")
        if encoding.startswith("utf-16"):
            data = data[: len(data) // 2 * 2]
        records = list(read_records(io.BytesIO(data), form))
        if records and not encoding.startswith("utf-16"):
            self.assertEqual(records[-1].end, len(data))
