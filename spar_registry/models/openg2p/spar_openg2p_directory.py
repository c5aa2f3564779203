from base64 import b64decode, b64encode
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.fa_reader import AddressPlace, fold_code

from ...lib import openg2p
from ...lib.openg2p import TheirBranch, TheirProvider, TheirStrategy, UnreadableStrategy


class Line(NamedTuple):
    """One line of the report: what it is about, and what becomes of it."""

    subject: str
    result: str


class SparOpeng2pDirectory(models.AbstractModel):
    """Strategies, providers and branches of an OpenG2P SPAR, brought into ours.

    What the directory has already is kept as it is, so a repeated run changes nothing.
    """

    _name = "spar.openg2p.directory"
    _description = "Directory of an OpenG2P SPAR"

    # === READING === #

    @api.model
    def _read_table(self, job, name: str) -> openg2p.TableRows:
        """Return the rows of a table that was uploaded; raises UserError."""
        data = job.with_context(bin_size=False)[name]
        if not data:
            return []
        try:
            return openg2p.read_table(b64decode(data))
        except ValueError as error:
            label = job._fields[name]._description_string(self.env)
            raise UserError(
                self.env._(
                    "%(table)s: export it as CSV (UTF-8) with a header, with all of "
                    "its columns.",
                    table=label,
                )
            ) from error

    @api.model
    def _read_strategies(self, job) -> tuple[list[TheirStrategy], dict[int, str]]:
        """Return the strategies, and why others cannot be kept, by number."""
        readable, refused = [], {}
        for row in self._read_table(job, "strategy_file"):
            try:
                strategy = openg2p.read_strategy(row)
            except UnreadableStrategy as error:
                refused[int(row["id"])] = self._get_strategy_text(error)
            else:
                readable += [strategy] if strategy else []
        return readable, refused

    @api.model
    def _get_strategy_text(self, error: UnreadableStrategy) -> str:
        texts = {
            "pattern": self.env._(
                "neither its template nor its pattern can be read. Add a strategy for "
                "these addresses by hand."
            ),
            "kind": self.env._(
                "it has no account number, mobile number or e-mail address. Add a kind "
                "of address and a strategy for it by hand."
            ),
            "part": self.env._(
                "it contains the part %(part)s, which no kind of address has. Add a "
                "strategy for these addresses by hand.",
                part=error.part,
            ),
        }
        return texts[error.code]

    @api.model
    def _read_directory(self, job) -> tuple[list[TheirProvider], list[TheirBranch]]:
        """Return the providers and branches of either version."""
        levels = openg2p.read_levels(
            self._read_table(job, "level_file"), self._read_table(job, "value_file")
        )
        banks = openg2p.read_banks(
            self._read_table(job, "bank_file"),
            self._read_table(job, "branch_file"),
            self._read_table(job, "wallet_file"),
        )
        return levels[0] + banks[0], levels[1] + banks[1]

    # === LOADING === #

    @api.model
    def _load(self, job, is_trial: bool) -> tuple[list[Line], dict[int, str]]:
        """Bring everything into the directory; return a report and bad strategies."""
        strategies, refused = self._read_strategies(job)
        lines = [
            Line(self._name_strategy(number), text) for number, text in refused.items()
        ]
        for strategy in strategies:
            result, is_kept = self._keep_strategy(strategy, is_trial)
            lines.append(Line(self._name_strategy(strategy.number), result))
            if not is_kept:
                refused[strategy.number] = result
        providers, branches = self._read_directory(job)
        lines += self._load_providers(providers, is_trial)
        lines += self._load_branches(branches, providers, is_trial)
        return lines, refused

    @api.model
    def _name_strategy(self, number: int) -> str:
        return self.env._("Strategy %(number)s", number=number)

    @api.model
    def _keep_strategy(self, strategy: TheirStrategy, is_trial: bool):
        """Find or add each template; return the result, and whether it is in use."""
        kind = self.env["spar.fa.type"].search([("code", "=", strategy.kind)])
        if not kind:
            return self.env._("there is no kind of address for it."), False
        strategies = self.env["spar.fa.strategy"].with_context(active_test=False)
        known = {one.template.lower(): one for one in strategies.search([])}
        found = [known.get(text.lower()) for text in strategy.templates]
        if any(found):
            numbers = ", ".join(str(one.number) for one in found if one)
            if all(one.is_approved for one in found if one):
                text = self.env._("kept, with our number %(numbers)s.", numbers=numbers)
                return text, True
            return self._get_waiting_text(), False
        if is_trial:
            return self.env._("would be added."), True
        return self._add_strategy(strategy, kind)

    @api.model
    def _add_strategy(self, strategy: TheirStrategy, kind):
        strategies = self.env["spar.fa.strategy"]
        try:
            with self.env.cr.savepoint():
                added = [
                    strategies.create(
                        {
                            "name": f"OpenG2P: {strategy.name}",
                            "type_id": kind.id,
                            "template": template,
                        }
                    )
                    for template in strategy.templates
                ]
        except UserError as error:
            return str(error), False
        if all(one.is_approved for one in added):
            return self.env._("added."), True
        return self._get_waiting_text(), False

    @api.model
    def _get_waiting_text(self) -> str:
        return self.env._(
            "added, but not in use yet: a second administrator has to approve it. "
            "Load the directory again afterwards."
        )

    @api.model
    def _load_providers(self, providers: list[TheirProvider], is_trial: bool):
        known = self._find_places({(one.code, "") for one in providers})
        new = [one for one in providers if (one.code, "") not in known]
        content = openg2p.write_providers(new)
        counts = self._load_file("provider", content, len(new), is_trial)
        return self._describe(
            self.env._("Providers"), len(providers) - len(new), *counts
        )

    @api.model
    def _load_branches(
        self, branches: list[TheirBranch], providers: list, is_trial: bool
    ):
        places = {(one.provider_code, one.code) for one in branches}
        known = self._find_places(places)
        new = [one for one in branches if (one.provider_code, one.code) not in known]
        content = openg2p.write_branches(new)
        counts = self._load_file("branch", content, len(new), is_trial)
        return self._describe(self.env._("Branches"), len(branches) - len(new), *counts)

    @api.model
    def _find_places(self, codes: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those codes of providers and branches that the directory has."""
        places = {
            AddressPlace("code", fold_code(provider), fold_code(branch)): (
                provider,
                branch,
            )
            for provider, branch in codes
        }
        found = self.env["spar.fsp"]._search_places(set(places))
        return {
            places[place]
            for place, holder in found.items()
            if holder.branch_id or not place.branch
        }

    @api.model
    def _load_file(self, kind: str, content: str, count: int, is_trial: bool):
        """Load new rows as a file of the directory; return how many were added.

        The file stays among the directory's files, with the rows that were refused.
        """
        if is_trial or not count:
            return count, 0, is_trial
        file = self.env["spar.directory.import"].create(
            {
                "kind": kind,
                "file": b64encode(content.encode()),
                "filename": f"openg2p-{kind}.csv",
            }
        )
        file.action_confirm()
        file._load_now()
        return file.added_count, file.refused_count, False

    @api.model
    def _describe(
        self, subject: str, known: int, added: int, refused: int, is_trial: bool
    ) -> list[Line]:
        text = self.env._("%(known)s known, %(added)s added.", known=known, added=added)
        if is_trial:
            text = self.env._(
                "%(known)s known, %(added)s would be added.", known=known, added=added
            )
        lines = [Line(subject, text)]
        if refused:
            text = self.env._(
                "%(count)s refused: see the files of the directory.", count=refused
            )
            lines.append(Line(subject, text))
        return lines
