from odoo import api, models
from odoo.exceptions import AccessError, ValidationError

from odoo.addons.spar_mapper_connector.expressions import get_person, is_at_run_time

#: What is no matter of a website's pages, and what it is where nobody has set it: where
#: links in mails lead, who may have an account, and in whose name Odoo lists pages.
_ADMINISTRATORS = {
    "auth_signup_uninvited": "b2b",
    "domain": False,
    "specific_user_account": False,
    "user_id": False,
}


class Website(models.Model):
    """A website, whose designers write all of its fields.

    Where it is decides where links in mails and the ways back from logins lead. On its
    languages rest our pages, and the login page of staff.
    """

    _inherit = "website"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_administrator(
                name
                for name, usual in _ADMINISTRATORS.items()
                if vals.get(name, usual) != usual
            )
        return super().create(vals_list)

    def write(self, vals):
        self._check_administrator(
            name
            for name in _ADMINISTRATORS
            if name in vals and any(_get(site, name) != vals[name] for site in self)
        )
        return super().write(vals)

    @api.model
    def _check_administrator(self, names) -> None:
        """Raise AccessError for editors of pages, also through code of another addon.

        Their own page there would take a link to set a password.

        :param names: the fields that would change and that only administrators change
        """
        name = next(iter(names), None)
        if name is None or not is_at_run_time(self.env):
            return
        person = self.env["res.users"].browse(get_person(self.env))
        if person.has_group("base.group_system"):
            return
        if name == "domain":
            raise AccessError(
                self.env._(
                    "Only an administrator can change the domain of a website, because "
                    "links in mails lead there."
                )
            )
        raise AccessError(
            self.env._(
                "%(field)s: only an administrator can change this, because it decides "
                "who has an account or acts for visitors. Ask an administrator.",
                field=self._fields[name]._description_string(self.env),
            )
        )

    @api.constrains("default_lang_id", "language_ids")
    def _check_languages(self):
        """Raise ValidationError for a website that no page can be shown in."""
        for website in self:
            if not website.default_lang_id.active:
                raise ValidationError(
                    self.env._(
                        "%(language)s is not active. Choose another default language, "
                        "or have an administrator activate this one.",
                        language=website.default_lang_id.name,
                    )
                )
            if not website.language_ids.filtered("active"):
                raise ValidationError(
                    self.env._("Choose at least one active language for the website.")
                )


def _get(website, name: str):
    """Return the value of a field as it is written."""
    value = website[name]
    return value.id if isinstance(value, models.BaseModel) else value
