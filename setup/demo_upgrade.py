"""Upgrading a demo that was made from older code to the current code, in place.

A copy of its database is upgraded, and replaces it only when it is complete: if a step
fails or is killed, the demo stays as it was.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .demo_facts import MIN_COUNTS, check_upgraded
from .installation import LOGIN_STYLE_ADDON, Installation
from .places import get_addons
from .progress import say, step

SECRETS_SCRIPT = Path(__file__).with_name("demo_secrets.py")
ADDITIONS_SCRIPT = Path(__file__).with_name("demo_additions.py")


def _get_draft(installation: Installation) -> Installation:
    """Return the copy that is upgraded."""
    return replace(installation, database=f"{installation.database}_draft")


def _get_spare_name(installation: Installation) -> str:
    """Return the name of the replaced database until it is dropped."""
    return f"{installation.database}_replaced"


def count_rows(installation: Installation) -> dict[str, int]:
    """Return the row counts of the models that a demo reports."""
    counted = {
        model: installation.server.get_answer(
            f"SELECT count(*) FROM {model.replace('.', '_')}", installation.database
        )
        for model in MIN_COUNTS
    }
    return {model: int(answer or 0) for model, answer in counted.items()}


def _has_old_store(installation: Installation) -> bool:
    """Return whether the store must be migrated before Odoo's upgrade."""
    query = """SELECT count(*) FROM information_schema.columns
                WHERE table_schema = current_schema AND table_name = 'spar_mapping'
                  AND column_name = 'identifier_id'"""
    return installation.server.get_answer(query, installation.database) == "1"


def _upgrade_addons(draft: Installation, known: Sequence[str]) -> None:
    addons = get_addons(draft.places.root)
    # Existing addons first: a new addon is loaded together with all of them.
    draft.upgrade([name for name in addons if name in known])
    if new := [name for name in addons if name not in known]:
        draft.install([*new, LOGIN_STYLE_ADDON], demo=True)


def _add_new_parts(draft: Installation) -> None:
    for name in draft.run_script(ADDITIONS_SCRIPT).get("failed", []):
        log = draft.folder / f"{draft.database}.{ADDITIONS_SCRIPT.stem}.log"
        say(f"- {name} is new in the demo and cannot be added (log: {log})")


def _replace_original(draft: Installation, installation: Installation) -> None:
    """Make the copy the demo's database."""
    if draft.filestore.exists():
        # Files are named by their content, so none of the demo's own is overwritten.
        shutil.copytree(draft.filestore, installation.filestore, dirs_exist_ok=True)
    name, spare = installation.database, _get_spare_name(installation)
    log = installation.folder / "renamedb.log"
    # An upgrade that was killed may have left one behind.
    draft.server.drop_database(spare, installation.folder / "dropdb.log")
    draft.server.rename_databases({name: spare, draft.database: name}, log)


def _remove_draft(installation: Installation) -> None:
    draft = _get_draft(installation)
    log = installation.folder / "dropdb.log"
    for name in (draft.database, _get_spare_name(installation)):
        installation.server.drop_database(name, log)
    shutil.rmtree(draft.filestore, ignore_errors=True)
    draft.keyring.unlink(missing_ok=True)
    draft.config.unlink(missing_ok=True)


def upgrade(installation: Installation, facts: dict, facts_file: Path) -> dict:
    """Upgrade a demo to the current code; return its facts afterwards.

    :param facts: the content of ``facts_file``
    :raises Failure: when it cannot be upgraded; it stays as it was
    """
    draft = _get_draft(installation)
    with step("The addons have changed: upgrading the demo's database"):
        installation.server.end_sessions(installation.database)
        draft.copy_from(installation)
        try:
            if _has_old_store(draft):
                # The migration compares its own counts; row counts before and after it
                # differ.
                draft.migrate_store()
            before = count_rows(draft)
            _upgrade_addons(draft, facts["addons"])
            _add_new_parts(draft)
            upgraded = draft.run_script(SECRETS_SCRIPT, SPAR_KNOWN=str(facts_file))
            check_upgraded(before, upgraded)
            _replace_original(draft, installation)
        finally:
            _remove_draft(installation)
    return upgraded
