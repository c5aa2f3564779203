"""The columns of a file of accounts, and the headers by which they are recognised.

Among them are the headers of the files that programmes have: OpenG2P's bulk script, the
Excel template of India's PFMS, and Mifos Payment Hub's bulk files.
"""

from __future__ import annotations

from odoo.addons.spar_fa_directory.lib.directory_rows import Column

ACCOUNT_COLUMNS = (
    Column(
        "id",
        (
            "national id",
            "id number",
            "id value",
            "national id number",
            "beneficiary id",
            "beneficiary code",
            "person id",
            "payee identifier",
            "payee identity",
            "payee id",
            "uid",
            "cedula",
            "dni",
            "numero identite",
            "numero de identidad",
            "رقم الهوية",
            "पहचान संख्या",
        ),
        required=True,
        rule="name",
    ),
    Column(
        "id_type",
        (
            "id type",
            "type of id",
            "national id type",
            "payee identifier type",
            "payee id type",
        ),
        may_lack=True,
    ),
    Column(
        "name",
        (
            "full name",
            "beneficiary name",
            "name of beneficiary",
            "person name",
            "payee name",
            "payee",
            "nom",
            "nom complet",
            "nombre",
            "nombre completo",
            "الاسم",
            "नाम",
        ),
        may_lack=True,
    ),
    Column(
        "phone",
        (
            "phone number",
            "mobile",
            "mobile no",
            "mobile number",
            "telephone",
            "contact number",
            "telefono",
            "الهاتف",
            "फ़ोन",
        ),
        may_lack=True,
    ),
    Column(
        "account",
        (
            "account number",
            "account no",
            "bank account",
            "bank account number",
            "bank account no",
            "beneficiary account number",
            "payee account number",
            "wallet number",
            "iban",
            "numero compte",
            "numero de compte",
            "numero cuenta",
            "numero de cuenta",
            "رقم الحساب",
            "खाता संख्या",
        ),
        rule="name",
    ),
    Column(
        "fa",
        ("financial address", "full address of account", "fa value"),
    ),
    Column(
        "provider",
        (
            "bank",
            "bank name",
            "bank code",
            "name of bank",
            "provider name",
            "provider code",
            "banking institution code",
            "fsp",
            "fsp code",
            "institution",
            "wallet provider",
            "wallet provider code",
            "banque",
            "banco",
            "البنك",
            "बैंक",
        ),
        may_lack=True,
    ),
    Column(
        "branch",
        (
            "branch code",
            "ifsc",
            "ifsc code",
            "bank branch code",
            "sort code",
            "code agence",
            "codigo sucursal",
            "رمز الفرع",
            "शाखा कोड",
        ),
        may_lack=True,
    ),
    Column(
        "collected_at",
        ("collected on", "date collected", "collection date", "collection time"),
        may_lack=True,
    ),
    Column("street", ("address", "street address", "adresse", "direccion")),
    Column("city", ("town", "village", "district", "municipality", "ville", "ciudad")),
    Column("state", ("province", "region", "state name")),
    Column("country", ("country name", "country code", "pays", "pais")),
    Column(
        "zip", ("pin", "pin code", "pincode", "postal code", "zip code"), rule="text"
    ),
)
