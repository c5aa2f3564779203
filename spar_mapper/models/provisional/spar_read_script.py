from odoo import api, fields, models


class SparReadScript(models.Model):
    """A text that is read aloud to somebody who cannot read, in their language.

    Its translations are data. Only three words in braces are replaced; nothing in it is
    evaluated.
    """

    _name = "spar.read.script"
    _description = "Script to read aloud"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    operation = fields.Selection(
        selection=lambda self: self.env["spar.change.rule"]._selection_operation(),
        help="If empty, any operation that has no script of its own.",
    )
    text = fields.Text(
        required=True,
        translate=True,
        help="{address} is replaced by the masked address, {effect} by what will "
        "happen, and {days} by the days in which an objection restores an address.",
    )

    @api.model
    def _get_text(self, operation: str, **values: str) -> str:
        """Return the text for an operation, in the language of the context."""
        scripts_sudo = self.sudo().search([("operation", "in", [operation, False])])
        script_sudo = scripts_sudo.sorted(lambda one: not one.operation)[:1]
        text = script_sudo.text or ""
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text
