"""The texts that a website searches: for links to a page, or for a form's field.

A website searches every HTML field of the database, in the name of its designer or of
Odoo's administrator. They may not read ours, and no text of ours is part of a website.
"""

_WEBSITE = "website"


def leave_out_ours(registry) -> None:
    """Have a website search the texts of other models only."""
    model = registry.models.get(_WEBSITE)
    if model is None:
        return

    def _get_html_fields(self):
        found = super(model, self)._get_html_fields()
        return [place for place in found if not place[0].startswith("spar.")]

    model._get_html_fields = _get_html_fields
