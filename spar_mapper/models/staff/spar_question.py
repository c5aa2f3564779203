from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ...lib.figures import FEWEST, blur, draw_edges

_PURPOSE = "question"


class SparQuestion(models.AbstractModel):
    """A question about sealed values: how many match a pattern, a prefix or a list.

    One person chooses it freely, and may ask any number of them before a second person
    sees one. So each is counted as a lookup (``spar.lookup``), which names who asked,
    while what was asked is kept as a proposed change, a waiting directory change or a
    counted move. The answer is a figure in tens and names no person.
    """

    _name = "spar.question"
    _description = "Question about sealed values"

    @api.model
    def _charge(self, kind: str, text: str) -> None:
        """Count the question ``text`` against the user's budget.

        Raises UserError if it is exhausted: call this before anything is answered.
        """
        self.env["spar.lookup"]._count_question(kind, text)

    @api.model
    def _blur(self, text: str, whole: int, **counts: int) -> dict[str, int]:
        """Return the figures that answer the question ``text``; see ``lib.figures``.

        Each has edges of its own, because another count may be known.

        :param whole: how many rows there are
        """
        keyring = self.env["spar.keyring"]._open()
        figures = {}
        for name, count in counts.items():
            edges = draw_edges(keyring.mac(_PURPOSE, bind(_PURPOSE, name, text)))
            figures[name] = blur(count, whole, edges)
        return figures

    @api.model
    def _describe(self, figure: int, whole: int) -> str:
        """Return a figure in words."""
        if whole < FEWEST:
            return self.env._("not shown for fewer than %(count)s", count=FEWEST)
        if not figure:
            return self.env._("fewer than 10")
        if figure >= whole:
            return self.env._("all but fewer than 10")
        return self.env._("about %(figure)s", figure=figure)
