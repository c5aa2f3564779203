from odoo.addons.spar_registry_source.tests.common import SourceCase


class Openg2pCase(SourceCase):
    """People in OpenG2P's registry."""

    REGISTRARS = "g2p_registry_base.group_g2p_registrar"

    @classmethod
    def get_source(cls):
        return cls.env["g2p.reg.id"]

    @classmethod
    def get_their_type(cls):
        return cls.env["g2p.id.type"].create({"name": "National ID"})

    @classmethod
    def get_phones(cls):
        return cls.env["g2p.phone.number"]

    @classmethod
    def add_member(cls, group, person, is_head=False, **values):
        head = cls.env.ref("g2p_registry_membership.group_membership_kind_head")
        values["kind"] = head.ids if is_head else []
        return cls.env["g2p.group.membership"].create(
            {"group": group.id, "individual": person.id, **values}
        )
