from odoo import api, fields, models
from odoo.fields import Domain

#: Operators that mean the same in a search by the name of a channel.
_ALIKE = ("in", "=", "ilike", "like", "=ilike", "=like")


class SparChannelName(models.AbstractModel):
    """A record that came by a channel, shown by the channel's name.

    Addons with channels of their own add the names.
    """

    _name = "spar.channel.name"
    _description = "Name of a channel"

    channel_name = fields.Char(
        string="Channel name",
        compute="_compute_channel_name",
        search="_search_channel_name",
    )

    @api.model
    def _get_channel_names(self) -> dict[str, str]:
        """Return the names of channels, by code."""
        return {
            "staff": self.env._("Staff"),
            "agent": self.env._("Staff, with the person present"),
            "portal": self.env._("Beneficiary's pages"),
            "notice": self.env._("Link in a notice"),
            "rest": self.env._("Participant (API)"),
            "registry": self.env._("Programme"),
            "mapper": self.env._("Another registry"),
            "schedule": self.env._("Automatic: due date"),
            "forms": self.env._("Automatic: rewriting"),
            "check": self.env._("Automatic: check"),
            "command": self.env._("Command line"),
            "migration": self.env._("Previous version"),
        }

    @api.depends("channel")
    def _compute_channel_name(self):
        names = self._get_channel_names()
        for record in self:
            code = record.channel or ""
            record.channel_name = names.get(code, code.capitalize())

    @api.model
    def _search_channel_name(self, operator, values):
        if operator not in _ALIKE:
            return NotImplemented
        values = [values] if isinstance(values, str) else values
        texts = [
            text.strip("% ").casefold() for text in values if isinstance(text, str)
        ]
        names = self._get_channel_names()
        return Domain(
            "channel",
            "in",
            [
                code
                for code, name in names.items()
                if any(text and text in f"{code} {name.casefold()}" for text in texts)
            ],
        )

    @api.model
    def formatted_read_group(self, domain, groupby=(), *args, **kwargs):
        """Label groups by channel with the channels' names."""
        groups = super().formatted_read_group(domain, groupby, *args, **kwargs)
        if "channel" in groupby:
            names = self._get_channel_names()
            for group in groups:
                code = group["channel"]
                group["channel"] = names.get(code, code)
        return groups
