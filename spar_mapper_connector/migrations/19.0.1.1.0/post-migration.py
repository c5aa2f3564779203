"""Ignore gaps in shipped national IDs; leave an operator's own kinds of ID unchanged.

Existing rows are found by their first form, see ``lib/id_forms.py``.
"""


def migrate(cr, version):
    cr.execute(
        """UPDATE spar_id_type t SET ignores_gaps = true
             FROM ir_model_data d
            WHERE d.module = 'spar_mapper_connector' AND d.name = 'id_type_national_id'
              AND d.model = 'spar.id.type' AND d.res_id = t.id
              AND t.strategy = 'token:{sub}@nationalId' AND t.tokeniser = 'none'"""
    )
