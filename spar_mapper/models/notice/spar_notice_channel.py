from odoo import api, models


class SparNoticeChannel(models.AbstractModel):
    """A way to deliver notices, such as text messages or printed letters.

    To add a channel, write a model that inherits this role and implements
    ``_queue_notice``; nothing else has to be registered. Every installed channel gets
    every new notice. Without a channel, notices stay in ``spar.notice`` until somebody
    exports them.
    """

    _name = "spar.notice.channel"
    _description = "Channel for notices"

    def _queue_notice(self, notice_sudo, contact: str) -> None:
        """Queue one new notice for delivery, once for each notice.

        It is called in the transaction of the event, after the notice was written: an
        exception raised here undoes the event, and a transaction that is rolled back
        and retried calls it again. So it must not send anything. It stores what is to
        be sent, in a table of its own and sealed, and a scheduled job sends that after
        the commit. A message must not contain an ID or a full financial address; the
        link for an objection is made by ``notice_sudo._make_link``.

        :param notice_sudo: a row of ``spar.notice``, which any user's event can cause
        :param contact: the contact known before the event, in clear; empty if there is
            none, in which case the notice goes by letter
        """
        raise NotImplementedError

    @api.model
    def _get_channels(self) -> list[models.BaseModel]:
        """Return the installed channels, in a fixed order."""
        names = self.env.registry["spar.notice.channel"]._inherit_children
        return [self.env[name] for name in sorted(names)]
