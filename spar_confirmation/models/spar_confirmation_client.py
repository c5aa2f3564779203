import json
from dataclasses import replace

from odoo import api, fields, models
from odoo.fields import Command, Domain

from odoo.addons.spar_mapper_connector.exceptions import OwnerProofRefused
from odoo.addons.spar_mapper_connector.lib.oidc.settings import UserinfoFormat
from odoo.addons.spar_mapper_connector.models.oidc.spar_oidc_client import (
    REQUIRED_FIELDS,
)

PAGES_PATH = "/spar/confirm"
RETURN_PATH = f"{PAGES_PATH}/return/"


class SparConfirmationClient(models.Model):
    """The store's own client at an ID provider, apart from that of any portal.

    A login at this client is begun by the page of review only, so its signed ID token
    says what the person saw. It asks for no claim but the ID.
    """

    _name = "spar.confirmation.client"
    _description = "ID provider for confirmations"
    _inherit = ["spar.oidc.client"]
    _seal_prefix = ("spar.confirmation.client",)
    _key_use = "confirm"
    _order = "sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    button = fields.Char(
        string="Button label",
        translate=True,
        help="Shown where people can choose among several providers.",
    )
    enabled = fields.Boolean()
    client_id = fields.Char(string="Client ID")
    auth_endpoint = fields.Char(string="Authorization URL")
    validation_endpoint = fields.Char(string="Userinfo URL")
    scope = fields.Char(default="openid")
    userinfo_format = fields.Selection(
        selection=[
            (UserinfoFormat.JSON.value, "The ID token"),
            (UserinfoFormat.SIGNED.value, "Userinfo, signed (JWS)"),
            (UserinfoFormat.ENCRYPTED.value, "Userinfo, signed and encrypted (JWE)"),
        ],
        string="The ID is in",
        help="Plain userinfo proves nothing: a provider without signed userinfo has to "
        "put the ID into the ID token.",
    )
    is_accepted = fields.Boolean(
        string="Accepted as proof",
        compute="_compute_is_accepted",
        help="Whether the store's list of issuers of proofs has this provider, with "
        "this client, the claim and the ID type. Without it nobody can confirm here.",
    )
    redirect_uri = fields.Char(
        string="Redirect URL",
        compute="_compute_addresses",
        help="Where the provider sends people after they have authenticated.",
    )
    key_set_uri = fields.Char(
        string="Our JWKS URL",
        compute="_compute_addresses",
        help="Where the provider can fetch our public keys (Keycloak does).",
    )

    # === SETTINGS === #

    def _has_userinfo(self) -> bool:
        return self.userinfo_format != UserinfoFormat.JSON.value

    def _get_required_fields(self):
        if self._has_userinfo():
            return REQUIRED_FIELDS
        return tuple(n for n in REQUIRED_FIELDS if n != "validation_endpoint")

    def _get_settings(self):
        """Return what is agreed with the provider; raises ProviderNotReady."""
        settings = super()._get_settings()
        if self._has_userinfo():
            return settings
        # Userinfo that nobody signed is not even requested.
        return replace(settings, userinfo_endpoint="")

    def _get_request_settings(self):
        """Ask for the ID and nothing else, whatever a preset would ask for."""
        own = {"scope": "openid", "claims": self._build_claims()}
        return {**super()._get_request_settings(), **own}

    def _build_claims(self) -> str:
        """Return the request for the one claim that holds the ID."""
        if self.id_claim == "sub":
            return ""
        place = "userinfo" if self._has_userinfo() else "id_token"
        return json.dumps({place: {self.id_claim: {"essential": True}}})

    # === ADDRESSES === #

    def _compute_addresses(self):
        for client in self:
            is_saved = bool(client.ids)
            client.redirect_uri = is_saved and client._get_redirect_uri()
            base = is_saved and self.env["spar.page.frame"]._get_base_url()
            keys = f"{base}{PAGES_PATH}/keys/{client.id}/jwks.json"
            client.key_set_uri = is_saved and keys

    def _get_redirect_uri(self) -> str:
        """Return where the provider sends people back; registered with its operator."""
        base = self.env["spar.page.frame"]._get_base_url()
        return f"{base}{RETURN_PATH}{self.id}"

    # === USABLE CLIENTS === #

    @api.model
    def _search_usable(self, domain=Domain.TRUE):
        """Return the clients that are enabled, approved and accepted as proofs."""
        usable_sudo = super()._search_usable(domain)
        return usable_sudo.filtered(lambda client: client._is_accepted())

    @api.depends("issuer", "client_id", "id_claim", "id_type_id")
    def _compute_is_accepted(self):
        for client in self:
            client.is_accepted = client._is_accepted()

    def _is_accepted(self) -> bool:
        """Return whether the store accepts logins at this client as owners' proofs."""
        issuers = self.env["spar.proof.issuer"]
        try:
            issuer_sudo = issuers._find_accepted(self.issuer)
        except OwnerProofRefused:
            return False
        rules = issuer_sudo._get_rules()
        is_known = self.client_id in rules.audiences and self.id_claim == rules.claim
        return is_known and self.id_type_id in issuer_sudo.id_type_ids

    def _register_issuers(self):
        """Let these providers assert IDs, and prove changes; this is for set-ups."""
        result = super()._register_issuers()
        issuers_sudo = self.env["spar.proof.issuer"].sudo()
        for client in self.sudo().filtered("issuer"):
            known = issuers_sudo.search([("issuer", "=", client.issuer)])
            values = client._build_proof_issuer(known)
            if known:
                known.write(values)
            else:
                issuers_sudo.create(values)
        return result

    def _build_proof_issuer(self, known) -> dict:
        """Return the values of the provider in the store's list of issuers."""
        audiences = {*(known.audiences or "").split(), self.client_id}
        return {
            "name": known.name or self.name,
            "issuer": self.issuer,
            "audiences": "\n".join(sorted(audiences)),
            "algorithms": self.algorithms,
            "acr_values": "\n".join((self.accepted_acrs or "").split()),
            "id_claim": self.id_claim,
            "jwks_url": self.jwks_uri,
            "pinned_keys": False,
            "id_type_ids": [Command.link(self.id_type_id.id)],
        }

    @api.model
    def _search_for(self, id_type_id: int | None, issuer: str):
        """Return the clients at which somebody with an ID of this type can log in.

        :param id_type_id: None for any

        That is the one of their own provider, where the portal names it.
        """
        domain = [("id_type_id", "=", id_type_id)] if id_type_id else Domain.TRUE
        usable_sudo = self._search_usable(domain)
        named_sudo = usable_sudo.filtered(lambda client: client.issuer == issuer)
        return named_sudo or usable_sudo
