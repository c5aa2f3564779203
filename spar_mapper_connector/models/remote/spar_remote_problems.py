import re

from odoo import api, models

_HTTP = re.compile(r"http_(\d{3})")


class SparRemoteProblems(models.AbstractModel):
    """What is wrong with the connection to another mapper, in one sentence."""

    _name = "spar.remote.problems"
    _description = "Problems of a connection"

    @api.model
    def _get_connection_problem(self, reason: str) -> str:
        """Return the sentence for the ``reason`` of a RemoteMapperError."""
        texts = {
            **self._get_network_texts(),
            **self._get_token_texts(),
            **self._get_refusal_texts(),
            **self._get_answer_texts(),
        }
        if reason in texts:
            return texts[reason]
        if reason.startswith("token_"):
            return self._get_token_problem(reason.removeprefix("token_"))
        status = _HTTP.fullmatch(reason)
        if status:
            return self._get_status_text(status[1])
        return self.env._("The mapper rejects our messages (%(code)s).", code=reason)

    @api.model
    def _get_network_texts(self) -> dict[str, str]:
        return {
            "no_address": self.env._("Enter the URL of the mapper."),
            "unknown_host": self.env._(
                "The host name in the URL was not found: check its spelling."
            ),
            "unreachable": self.env._("There is no connection to the host in the URL."),
            "certificate_invalid": self.env._(
                "The certificate of the host is not valid for its name (TLS)."
            ),
            "no_tls": self.env._(
                "The host does not speak TLS at this port: check the port in the URL."
            ),
            "address_refused": self.env._(
                "Requests to this URL are not allowed: it must begin with https:// and "
                "lead to a public address, unless the server's configuration allows it."
            ),
            "too_slow": self.env._("The mapper does not answer within the time-out."),
            "answer_lost": self.env._(
                "The connection ended before the answer was complete."
            ),
            "answer_too_large": self.env._("The answer of the mapper is too large."),
            "redirected": self.env._(
                "The URL redirects to another address: enter that address."
            ),
        }

    @api.model
    def _get_token_texts(self) -> dict[str, str]:
        refused = self.env._(
            "The token endpoint refuses our client ID, or its secret or assertion."
        )
        return {
            "token_http_400": refused,
            "token_http_401": refused,
            "token_http_403": refused,
            "token_missing": self.env._(
                "The token endpoint answers without a token: check its URL."
            ),
        }

    @api.model
    def _get_token_problem(self, reason: str) -> str:
        """Return what keeps us from the token endpoint."""
        network = self._get_network_texts().get(reason, "")
        if network:
            return self.env._("Token endpoint: %(problem)s", problem=network)
        status = _HTTP.fullmatch(reason)
        return self.env._(
            "The token endpoint answers with the error %(status)s.",
            status=status[1] if status else reason,
        )

    @api.model
    def _get_refusal_texts(self) -> dict[str, str]:
        token = self.env._("The mapper does not accept our token.")
        signature = self.env._(
            "The mapper does not accept our signature: register our public key there."
        )
        right = self.env._(
            "The mapper does not permit us to resolve IDs from this address."
        )
        path = self.env._(
            "There is no mapper at this URL: check the URL and the dialect."
        )
        clock = self.env._(
            "The clocks of the two servers differ: set this server's clock."
        )
        return {
            "err.request.unauthorized": token,
            "http_401": token,
            "err.signature.missing": self.env._(
                "The mapper requires a signature: choose where our messages are signed."
            ),
            "err.signature.invalid": signature,
            "err.sender_id.invalid": self.env._(
                "The mapper does not know our sender ID, or knows it as another's."
            ),
            "err.receiver_id.invalid": self.env._(
                "The receiver ID is not the mapper's: check it."
            ),
            "err.request.forbidden": right,
            "http_403": right,
            "err.request.not_found": path,
            "http_404": path,
            "http_405": path,
            "clock": clock,
            "rjct.message_ts.invalid": clock,
            "returned": self.env._(
                "The mapper asks this server in turn: one of the two has to name "
                "another backend."
            ),
            "not_disclosed": self.env._(
                "The mapper does not disclose addresses to us: ask its operator to "
                "permit it, or clear Ask for addresses."
            ),
        }

    @api.model
    def _get_answer_texts(self) -> dict[str, str]:
        other = self.env._(
            "The answer is not one of this protocol: check the URL and the dialect."
        )
        return {
            "not_json": other,
            "not_an_answer": other,
            "no_answer": other,
            "not_ours": self.env._(
                "The answer is to another message, or from another sender: check the "
                "receiver ID."
            ),
            "not_signed": self.env._(
                "The answer is not signed where that is agreed: check its signature."
            ),
            "bad_signature": self.env._(
                "The signature of the answer is not valid: check its public key."
            ),
            "unknown_key": self.env._(
                "The answer is signed by a key that is not the mapper's: check its "
                "public key."
            ),
            "keys_unavailable": self.env._(
                "The mapper's key set cannot be fetched: check its URL."
            ),
            "unknown_code": self.env._(
                "The mapper answers with a code that this dialect does not have."
            ),
        }

    @api.model
    def _get_status_text(self, status: str) -> str:
        if status == "429":
            return self.env._("The mapper has reached our limit: try again later.")
        return self.env._(
            "The mapper answers with the error %(status)s: try again later.",
            status=status,
        )
