from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    OutgoingError,
    OutgoingRefused,
    OwnerProofRefused,
    TargetUnknown,
)
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeyRefused
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import (
    CACHE,
    choose_key,
    read_key_set,
)
from odoo.addons.spar_mapper_connector.lib.jose.keys import ALGORITHMS, PublicKey
from odoo.addons.spar_mapper_connector.lib.oidc import subjects
from odoo.addons.spar_mapper_connector.lib.oidc.discovery import get_address
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import LoginRefused
from odoo.addons.spar_mapper_connector.lib.oidc.relying_party import discover
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url
from odoo.addons.spar_mapper_connector.lib.proof_check import FindKeys, IssuerRules


class SparProofIssuer(models.Model):
    """An ID provider whose signed tokens the store accepts as an owner's proof.

    It is the store's own list: what a portal believes is not asked. Two people change
    it. For an ID type, the type must name the issuer, too.

    A login proves a change only at a client of the store itself: who starts a login
    chooses its nonce, so that a portal's own login says nothing about what the person
    saw. Logins at portals let these read, and are listed apart.
    """

    _name = "spar.proof.issuer"
    _description = "Issuer of owners' proofs"
    _inherit = ["spar.second.person", "spar.sealed.setting", "spar.cached.records"]
    _order = "name"
    _guarded_fields = (
        "issuer",
        "audiences",
        "portal_audiences",
        "algorithms",
        "acr_values",
        "id_claim",
        "jwks_url",
        "pinned_keys",
        "id_type_ids",
        "active",
    )
    _counts_by = "active"

    name = fields.Char(required=True)
    issuer = fields.Char(
        required=True,
        help="The issuer's name in tokens (iss), for example https://id.example.org.",
    )
    audiences = fields.Text(
        required=True,
        help="The client IDs at the issuer whose logins prove a change, one per line. "
        "They must be clients of the store's own page, never of a portal: who starts a "
        "login decides what it confirms.",
    )
    portal_audiences = fields.Text(
        string="Portals",
        help="The client IDs of portals, one per line. A login there lets a portal "
        "read about the person who has logged in, and proves no change.",
    )
    algorithms = fields.Char(
        required=True,
        default="PS256 ES256",
        help="The accepted signature algorithms, separated by spaces: PS256, ES256, "
        "EdDSA, RS256.",
    )
    acr_values = fields.Text(
        string="Accepted authentication",
        help="The accepted ways to authenticate (acr), one per line. Leave empty to "
        "accept any.",
    )
    id_claim = fields.Char(
        string="Claim with the ID",
        required=True,
        default="sub",
        help="The claim of the ID token, or of the signed userinfo, that holds the "
        "person's ID.",
    )
    jwks_url = fields.Char(
        string="JWKS URL",
        help="Where the issuer publishes its keys. Leave empty if this host cannot "
        "reach the issuer, and enter the keys below.",
    )
    pinned_keys = fields.Text(
        string="Pinned keys",
        help="The issuer's key set (JWKS), if it cannot be fetched. Only these keys "
        "are then accepted.",
    )
    id_type_ids = fields.Many2many(
        "spar.id.type",
        string="ID types",
        help="The types of the IDs that the issuer may assert. Each of them must name "
        "the issuer among its trusted issuers.",
    )
    subject_type = fields.Selection(
        [
            (subjects.PUBLIC, "The same at every client (public)"),
            (subjects.PAIRWISE, "Another one for each sector (pairwise)"),
            (subjects.BOTH, "Either, client by client"),
        ],
        string="Subject (sub)",
        help="What the issuer's metadata says about its subjects. Check subjects reads "
        "it from there; choose it if this host cannot reach the issuer.",
    )
    sector_identifier_uri = fields.Char(
        string="Sector identifier URL",
        help="The sector_identifier_uri that the issuer has for all these clients: the "
        "address of the list of their redirect URLs. With it one person has the same "
        "subject at each of them.",
    )
    subject_problem = fields.Char(
        string="Subject problem", compute="_compute_subject_problem"
    )
    active = fields.Boolean(default=True)

    _issuer_uniq = models.UniqueIndex("(issuer)", "This issuer already exists.")

    def _is_guarded(self, name: str, value) -> bool:
        return bool(self.active or name == "active")

    def _stops(self, name: str, value) -> bool:
        return name == "active" and not value

    # === CONSTRAINTS === #

    @api.constrains("jwks_url", "pinned_keys")
    def _check_keys(self) -> None:
        for issuer in self:
            if bool(issuer.jwks_url) == bool(issuer.pinned_keys):
                raise ValidationError(
                    self.env._("Enter either the JWKS URL or the pinned keys.")
                )
            if issuer.jwks_url:
                issuer._check_jwks_url()
            elif not issuer._read_pinned_keys():
                raise ValidationError(
                    self.env._(
                        "Pinned keys: enter a key set (JWKS) with at least one public "
                        "key for signatures."
                    )
                )

    def _check_jwks_url(self) -> None:
        try:
            check_url(self.jwks_url)
        except (OutgoingRefused, TargetUnknown):
            raise ValidationError(
                self.env._(
                    "JWKS URL: it must begin with https:// and lead to a public "
                    "address."
                )
            ) from None
        CACHE.forget(self.jwks_url)

    @api.constrains("algorithms")
    def _check_algorithms(self) -> None:
        for issuer in self:
            names = issuer.algorithms.split()
            if not names or set(names) - set(ALGORITHMS):
                raise ValidationError(
                    self.env._(
                        "Algorithms: only %(names)s are accepted.",
                        names=", ".join(ALGORITHMS),
                    )
                )

    @api.constrains("audiences", "portal_audiences")
    def _check_audiences(self) -> None:
        for issuer in self:
            own = set(issuer.audiences.split())
            if not own:
                raise ValidationError(self.env._("Enter at least one audience."))
            if own & set((issuer.portal_audiences or "").split()):
                raise ValidationError(
                    self.env._(
                        "A portal's client must not be among the audiences: the portal "
                        "could confirm changes by itself."
                    )
                )

    @api.constrains("issuer", "id_type_ids", "active")
    def _check_id_types(self) -> None:
        """Check that the ID types agree: they are what every channel asks."""
        for issuer in self.filtered("active"):
            for id_type in issuer.id_type_ids:
                if issuer.issuer not in id_type._get_issuers():
                    raise ValidationError(
                        self.env._(
                            "%(type)s does not name %(issuer)s among its trusted "
                            "issuers. Add it there first.",
                            type=id_type.name,
                            issuer=issuer.issuer,
                        )
                    )

    @api.constrains(
        "id_claim",
        "audiences",
        "portal_audiences",
        "subject_type",
        "sector_identifier_uri",
        "active",
    )
    def _check_subjects(self) -> None:
        """Refuse clients at which one person would have several IDs."""
        for issuer in self.filtered("active"):
            if issuer._find_subject_problem() == subjects.DIFFERS:
                raise ValidationError(issuer.subject_problem)

    # === SUBJECTS === #

    @api.depends(
        "id_claim",
        "audiences",
        "portal_audiences",
        "subject_type",
        "sector_identifier_uri",
    )
    def _compute_subject_problem(self):
        remedy = self.env._(
            "Have the provider's operator register all of these clients with one "
            "sector_identifier_uri and enter it here, or choose a claim that holds "
            "the ID."
        )
        texts = {
            subjects.UNKNOWN: self.env._(
                "The ID is the subject (sub), and it is not known whether one person "
                "has the same at each of these clients. Press Check subjects."
            ),
            subjects.DIFFERS: self.env._(
                "The ID is the subject (sub), and the provider gives each sector of "
                "clients another one: one person would become several."
            )
            + f" {remedy}",
            subjects.MAY_DIFFER: self.env._(
                "The ID is the subject (sub), and the provider may give each client "
                "another one: one person would become several. If its operator "
                "confirms that it does not, choose that it is the same at every "
                "client."
            )
            + f" {remedy}",
        }
        for issuer in self:
            problem = issuer._find_subject_problem()
            issuer.subject_problem = texts.get(problem, "")

    def _find_subject_problem(self) -> str:
        clients = {
            *(self.audiences or "").split(),
            *(self.portal_audiences or "").split(),
        }
        return subjects.find_problem(
            self.id_claim or "",
            self.subject_type or "",
            len(clients),
            self.sector_identifier_uri or "",
        )

    def action_check_subjects(self):
        """Ask the issuer and the sector whether one person has one ID everywhere.

        Raises UserError, in one sentence or two, where that is not so.
        """
        self.ensure_one()
        kind = self._fetch_subject_type()
        # Where both are offered, what its operator has confirmed stays.
        if kind != subjects.BOTH or not self.subject_type:
            self.subject_type = kind
        if self._find_subject_problem():
            raise UserError(self.subject_problem)
        if self.id_claim == "sub" and self.sector_identifier_uri:
            self._check_sector()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("One person has one ID at all of these clients."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _fetch_subject_type(self) -> str:
        try:
            found = discover(outgoing.send, get_address(self.issuer))
        except LoginRefused as error:
            raise UserError(
                self.env._(
                    "The issuer's metadata cannot be read (%(reason)s). Ask its "
                    "operator whether subjects are public or pairwise, and choose it "
                    "here.",
                    reason=error.reason or error.code,
                )
            ) from error
        return subjects.choose_kind(found.subject_types)

    def _check_sector(self) -> None:
        """Raise UserError unless the sector lists every client that is known here."""
        missing = subjects.find_missing(
            self._fetch_sector(), self._get_redirect_urls(), self._get_portal_sites()
        )
        if missing:
            raise UserError(
                self.env._(
                    "The list at the sector identifier URL has no redirect URL of "
                    "%(clients)s: one person would have another ID there. Have it "
                    "added to the list.",
                    clients=", ".join(missing),
                )
            )

    def _fetch_sector(self) -> tuple[str, ...]:
        try:
            answer = outgoing.send(
                "GET", self.sector_identifier_uri, max_bytes=subjects.MAX_BYTES
            )
            if answer.status != 200:
                raise subjects.SectorUnreadable(f"HTTP {answer.status}")
            return subjects.read_sector(answer.body)
        except (OutgoingError, subjects.SectorUnreadable) as error:
            raise UserError(
                self.env._(
                    "The list at the sector identifier URL cannot be read: it must be "
                    "a JSON array of redirect URLs, at an address that begins with "
                    "https://."
                )
            ) from error

    @api.model
    def _get_client_models(self) -> list[str]:
        return sorted(self.env.registry["spar.oidc.client"]._inherit_children)

    def _get_redirect_urls(self) -> list[str]:
        """Return the redirect URLs of the clients that this database has there."""
        domain = [("issuer", "=", self.issuer), ("enabled", "=", True)]
        return [
            client_sudo._get_redirect_uri()
            for name in self._get_client_models()
            for client_sudo in self.env[name].sudo().search(domain)
        ]

    def _get_portal_sites(self) -> list[str]:
        """Return an address of each portal elsewhere, if any are known here."""
        return []

    # === USE === #

    @api.model
    def _find_accepted(self, issuer: str):
        """Return the issuer as the store trusts it; raises OwnerProofRefused."""
        ids = self.env["spar.row.versions"]._reuse(self, "_read_issuers", self._name)
        if issuer not in ids:
            raise OwnerProofRefused("proof_issuer")
        return self.sudo().browse(ids[issuer])

    @api.model
    def _read_issuers(self) -> dict[str, int]:
        """Return the row id of each active issuer that is as sealed, by its name."""
        issuers_sudo = self.sudo().search(Domain.TRUE)._filter_true()
        return {each.issuer: each.id for each in issuers_sudo}

    def _get_rules(self) -> IssuerRules:
        """Return what is accepted from this issuer as the proof of a change."""
        return self._build_rules(self.audiences)

    def _get_portal_rules(self) -> IssuerRules:
        """Return what is accepted as a login at a portal that may read."""
        return self._build_rules(self.portal_audiences or "")

    def _build_rules(self, audiences: str) -> IssuerRules:
        self.ensure_one()
        return IssuerRules(
            issuer=self.issuer,
            audiences=frozenset(audiences.split()),
            algorithms=tuple(self.algorithms.split()),
            acr_values=frozenset((self.acr_values or "").split()),
            claim=self.id_claim,
        )

    def _asserts(self, value: str, requested: Identifier) -> bool:
        """Return whether the claim ``value`` asserts the ID ``requested``.

        Both the store's list and the ID type must allow this issuer to do so.
        """
        id_type_sudo = self.id_type_ids.filtered(lambda t: t.id == requested.type_id)
        if not id_type_sudo or not id_type_sudo._may_be_asserted_by(self.issuer):
            return False
        try:
            _written, found = id_type_sudo._read_claim(value)
        except InvalidIdentifier:
            return False
        return found.canonical == requested.canonical

    # === KEYS === #

    def _build_find_keys(self) -> FindKeys:
        """Return a function that finds this issuer's present keys.

        The function raises KeySetUnavailable.
        """
        pinned, url = self._read_pinned_keys(), self.jwks_url

        def find(kid: str, algorithm: str) -> tuple[PublicKey, ...]:
            if url:
                found = CACHE.find(url, kid, algorithm)
            else:
                found = choose_key(pinned, kid, algorithm)
            return (found,) if found else ()

        return find

    def _read_pinned_keys(self) -> list[PublicKey]:
        try:
            return read_key_set((self.pinned_keys or "").encode())
        except KeyRefused:
            return []

    def _fetch_keys(self) -> tuple[PublicKey, ...]:
        """Return all keys that the issuer has now; raises KeySetUnavailable."""
        if not self.jwks_url:
            return tuple(self._read_pinned_keys())
        return tuple(CACHE.get_keys(self.jwks_url))
