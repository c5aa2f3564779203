"""Rename scheduled actions and limits: the data files do not update them.

A text that an administrator chose is left as it is.
"""

from psycopg2 import sql

#: XML ID -> previous name, new name.
JOBS = {
    "ir_cron_decide_due": (
        "SPAR: apply and expire changes that wait",
        "SPAR: apply and expire waiting changes",
    ),
    "ir_cron_trials": (
        "SPAR: look at changes of the directory",
        "SPAR: check directory changes",
    ),
    "ir_cron_forms": (
        "SPAR: bring IDs into the form of now",
        "SPAR: rewrite IDs and addresses in the current form",
    ),
}
#: XML ID and column -> previous text, new text.
LIMITS = {
    ("limit_lookup_budget", "name"): (
        "Look-ups in 24 hours",
        "Lookups in 24 hours",
    ),
    ("limit_lookup_budget", "description"): (
        "What one member of staff may spend in 24 hours on looking for people by "
        "an ID or an account.",
        "The budget of one member of staff for finding people by an ID or an "
        "account in 24 hours.",
    ),
    ("limit_lookup_hit_cost", "name"): (
        "Cost of a look-up that finds somebody",
        "Cost of a lookup that finds a person",
    ),
    ("limit_lookup_hit_cost", "description"): (
        "Taken from the look-ups in 24 hours.",
        "Deducted from the lookups in 24 hours.",
    ),
    ("limit_lookup_miss_cost", "name"): (
        "Cost of a look-up that finds nobody",
        "Cost of a lookup that finds no one",
    ),
    ("limit_lookup_miss_cost", "description"): (
        "Taken from the look-ups in 24 hours. Whoever guesses nearly always misses.",
        "Deducted from the lookups in 24 hours. Guesses nearly always find no one.",
    ),
    ("limit_objection_days", "name"): (
        "Days in which an objection brings an address back",
        "Days in which an objection restores an address",
    ),
    ("limit_objection_days", "description"): (
        "How long after a change its owner's word alone brings the address before "
        "back. Later, payments stop until staff decide.",
        "How long after a change the owner's statement alone restores the "
        "previous address. Later, payments stop until staff decide.",
    ),
    ("limit_objection_link_stops_payments", "description"): (
        "Whether payments stop when somebody objects by the link of a notice. "
        "Nothing is undone by the link in either case.",
        "Whether payments stop when somebody objects through the link in a "
        "notice. In either case, the link alone undoes nothing.",
    ),
}


def migrate(cr, version):
    for xml_id, (previous, name) in JOBS.items():
        cr.execute(
            """UPDATE ir_act_server action
                  SET name = jsonb_set(action.name, '{en_US}', to_jsonb(%s::text))
                 FROM ir_cron cron JOIN ir_model_data data ON data.res_id = cron.id
                WHERE cron.ir_actions_server_id = action.id
                  AND data.model = 'ir.cron' AND data.module = 'spar_mapper'
                  AND data.name = %s AND action.name ->> 'en_US' = %s""",
            (name, xml_id, previous),
        )
        cr.execute(
            "UPDATE ir_cron SET cron_name = %s WHERE cron_name = %s", (name, previous)
        )
    for (xml_id, column), (previous, text) in LIMITS.items():
        query = sql.SQL(
            """UPDATE spar_limit l
                  SET {column} = jsonb_set(l.{column}, '{{en_US}}', to_jsonb(%s::text))
                 FROM ir_model_data data
                WHERE data.res_id = l.id AND data.model = 'spar.limit'
                  AND data.module = 'spar_mapper' AND data.name = %s
                  AND l.{column} ->> 'en_US' = %s"""
        ).format(column=sql.Identifier(column))
        cr.execute(query, (text, xml_id, previous))
