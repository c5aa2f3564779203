"""The history's record of a person's office."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from .chain import commit_to

#: Why a change by staff is refused: the person belongs to another office.
OTHER_OFFICE = "other_office"


def commit_to_office(keyring: OpenKeyring, subject: str, office: str) -> bytes:
    """Return the commitment of the event that moves a person to an office.

    ``subject`` and ``office`` are UUIDs; an empty ``office`` means none.
    """
    return commit_to(keyring, f"office {subject} {office}")
