from odoo.addons.spar_registry_source.tests.common import SourceCase


class OpensppCase(SourceCase):
    """People in OpenSPP's registry."""

    REGISTRARS = "spp_registry.group_registry_officer"

    @classmethod
    def get_source(cls):
        return cls.env["spp.registry.id"]

    @classmethod
    def get_their_type(cls):
        return cls.env.ref("spp_vocabulary.code_id_type_national_id")

    @classmethod
    def get_phones(cls):
        return cls.env["spp.phone.number"]

    @classmethod
    def add_member(cls, group, person, is_head=False, **values):
        head = cls.env.ref("spp_vocabulary.code_membership_type_head")
        values["membership_type_ids"] = head.ids if is_head else []
        return cls.env["spp.group.membership"].create(
            {"group": group.id, "individual": person.id, **values}
        )
