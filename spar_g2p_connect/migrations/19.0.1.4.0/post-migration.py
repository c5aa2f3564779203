"""Rename the scheduled actions of the queues: the data file does not update them.

A name that an administrator chose is left as it is.
"""

#: XML ID -> previous name, new name.
NAMES = {
    "ir_cron_messages_1": (
        "SPAR: work on messages that wait, lane 1",
        "SPAR: process waiting messages, worker 1",
    ),
    "ir_cron_messages_2": (
        "SPAR: work on messages that wait, lane 2",
        "SPAR: process waiting messages, worker 2",
    ),
    "ir_cron_callbacks_1": (
        "SPAR: send callbacks, lane 1",
        "SPAR: send callbacks, worker 1",
    ),
    "ir_cron_callbacks_2": (
        "SPAR: send callbacks, lane 2",
        "SPAR: send callbacks, worker 2",
    ),
}


def migrate(cr, version):
    for xml_id, (previous, name) in NAMES.items():
        cr.execute(
            """UPDATE ir_act_server action
                  SET name = jsonb_set(action.name, '{en_US}', to_jsonb(%s::text))
                 FROM ir_cron cron JOIN ir_model_data data ON data.res_id = cron.id
                WHERE cron.ir_actions_server_id = action.id
                  AND data.model = 'ir.cron' AND data.module = 'spar_g2p_connect'
                  AND data.name = %s AND action.name ->> 'en_US' = %s""",
            (name, xml_id, previous),
        )
        cr.execute(
            "UPDATE ir_cron SET cron_name = %s WHERE cron_name = %s", (name, previous)
        )
