from odoo import api, models

from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped
from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import ResolveRequest, Result
from odoo.addons.spar_mapper_connector.lib.matching import match_results

from ...lib.calls import build_call
from ...lib.comparison import UNKNOWN, ComparedAnswer, compare_answers
from ...lib.row_outcome import Reason


class SparOpeng2pComparison(models.AbstractModel):
    """Resolving a list of IDs at two backends side by side, until the switch.

    Neither is changed. What differs is said in words: no address leaves either.
    """

    _name = "spar.openg2p.comparison"
    _description = "Comparison of two mapper backends"

    @api.model
    def _compare(self, job, items: list) -> None:
        """Give each row with a valid ID its result, and the reason of a difference.

        Raises LoadStopped, naming a backend that is unavailable, and MapperError.
        """
        valid = [item for item in items if item.is_good]
        ids = list(dict.fromkeys(item.id_value for item in valid))
        backends = self.env["spar.mapper.backend"]
        here_sudo = backends._get_mapper(job.id_type_id)._get_backend().sudo()
        there_sudo = job.compared_backend_id.sudo()
        here = self._resolve(here_sudo, job, ids)
        there = self._resolve(there_sudo, job, ids)
        keys = self._get_keys([*here.values(), *there.values()])
        texts = self._get_texts(here_sudo.name, there_sudo.name)
        for item in valid:
            pair = here[item.id_value], there[item.id_value]
            finding = compare_answers(*(_get_answer(one, keys) for one in pair))
            if finding == "same":
                item.result = "unchanged"
                continue
            if finding in UNKNOWN:
                item.result = "unknown"
            text = texts[finding]
            item.reasons.append(Reason(self._add_refusal(text, finding, *pair)))

    @api.model
    def _resolve(self, backend_sudo, job, ids: list[str]) -> dict[str, Result | None]:
        """Return what a backend answers for each ID; raises LoadStopped."""
        requests = [ResolveRequest(one, purpose=job.purpose or "") for one in ids]
        try:
            mapper_sudo = backend_sudo._bind().sudo()
            results = mapper_sudo._resolve_fa(build_call(self.env.uid), requests)
        except MapperError as error:
            text = self.env["spar.staff.answers"]._get_error_text(error)
            raise LoadStopped(f"{backend_sudo.name}: {text}") from error
        return dict(zip(ids, match_results(ids, results), strict=True))

    @api.model
    def _get_keys(self, results: list[Result | None]) -> dict[str, str]:
        """Return the comparable form of each address, by its text."""
        texts = list({result.fa for result in results if result and result.fa})
        formed = self.env["spar.fa.strategy"]._canonicalise_addresses(texts)
        return {text: form.key for text, form in zip(texts, formed, strict=True)}

    @api.model
    def _get_texts(self, here: str, there: str) -> dict[str, str]:
        """Return each finding in words, with the names of the two backends."""
        names = {"here": here, "there": there}
        return {
            "another": self.env._("Another address is in force at %(there)s.", **names),
            "only_here": self.env._("%(there)s has no address.", **names),
            "only_there": self.env._("%(here)s has no address.", **names),
            "stopped": self.env._(
                "Payments are stopped at both, so the addresses cannot be compared."
            ),
            "stopped_here": self.env._("Payments are stopped at %(here)s.", **names),
            "stopped_there": self.env._("Payments are stopped at %(there)s.", **names),
            "no_answer_here": self.env._(
                "%(here)s did not answer for this ID. Compare again.", **names
            ),
            "no_answer_there": self.env._(
                "%(there)s did not answer for this ID. Compare again.", **names
            ),
            "refused_here": self.env._("%(here)s does not accept the ID.", **names),
            "refused_there": self.env._("%(there)s does not accept the ID.", **names),
        }

    @api.model
    def _add_refusal(self, text: str, finding: str, here, there) -> str:
        """Return a text with the reason of whoever refused the ID."""
        refused = {"refused_here": here, "refused_there": there}.get(finding)
        if refused is None:
            return text
        refusal = self.env["spar.staff.answers"]._get_refusal(refused)
        return f"{text} {refusal}"


def _get_answer(result: Result | None, keys: dict[str, str]) -> ComparedAnswer | None:
    return result and ComparedAnswer(result.outcome, keys.get(result.fa or "", ""))
