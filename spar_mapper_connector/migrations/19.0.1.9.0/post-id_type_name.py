"""Call the shipped type *National ID*: staff and beneficiaries read its name now.

A name that an administrator has given stays.
"""

OLD, NEW = "National ID (token)", "National ID"


def migrate(cr, version):
    cr.execute(
        """
        UPDATE spar_id_type
           SET name = jsonb_set(name, '{en_US}', to_jsonb(%(new)s::text))
         WHERE name->>'en_US' = %(old)s
        """,
        {"old": OLD, "new": NEW},
    )
