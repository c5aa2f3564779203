"""A second Odoo with a database of its own: programmes and pages, without the store.

Whatever mapper they use is elsewhere.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from setup.apart import set_backend
from setup.demo import ADDRESSES_SCRIPT
from setup.id_provider import IdProvider, build_config
from setup.machine import get_free_port
from setup.places import get_places
from setup.testing import get_second_server
from setup.testing_databases import copied, get_base, get_facts_file

from .person import ProviderAtWork
from .real_server import RealServer


class SecondServer(RealServer):
    """An Odoo in one process, with a PostgreSQL of its own."""

    workers = 0

    def set_backend(self, implementation: str, **values) -> str:
        """Call another mapper from now on, for all IDs; return what is wrong with it.

        :param values: of the backend; ``secret`` is stored sealed
        """
        return set_backend(self.installation, implementation, **values)

    @contextmanager
    def id_provider(self, people: list[dict]) -> Iterator[ProviderAtWork]:
        """Yield an ID provider that runs during the block, with us as its client."""
        idp = {**self.facts["idp"], "newcomers": people}
        facts = {"beneficiaries": [], "idp": idp}
        config = build_config(facts, self.url, get_free_port())
        running = IdProvider(get_places(), self.installation.folder, config)
        running.start()
        try:
            running.wait()
            addresses = {"SPAR_DEMO_URL": self.url, "SPAR_DEMO_ISSUER": running.issuer}
            self.installation.run_script(ADDRESSES_SCRIPT, **addresses)
            yield ProviderAtWork.build(facts, self.url, running.issuer)
        finally:
            running.stop()


@contextmanager
def second_server() -> Iterator[SecondServer]:
    """Yield a second server; its log must have no warning that no test expected."""
    installation = get_second_server(get_places())
    facts = json.loads(get_facts_file(get_base(installation)).read_text())
    with copied(installation):
        second = SecondServer(installation, facts, get_free_port())
        second.start()
        try:
            yield second
            unexpected = second.get_unexpected()
        finally:
            second.stop()
    assert not unexpected, "\n".join(unexpected)
