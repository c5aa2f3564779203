"""The pages in a database without the store: on any other mapper."""

import subprocess
from dataclasses import replace

import psycopg2
import pytest

from setup.places import ROOT

ADDON = "spar_self_service"
TESTS = "test_pages test_frame test_my_address test_helped_change test_spar_draft"


@pytest.fixture(scope="module")
def alone(server):
    """Yield an Odoo with the pages and their dependencies, and no more of the suite."""
    installation = replace(server.installation, database="spar_test_without_store")
    installation.create()
    installation.install(["spar_mapper_connector"], demo=False)
    installation.make_keyring()
    installation.install([ADDON], demo=False)
    yield installation
    installation.server.drop_database(
        installation.database, installation.folder / "dropdb.log"
    )


def test_pages_run_with_a_stand_in_for_the_store(alone):
    command = [str(alone.places.python), "-m", "pytest", "-p", "setup.pytest_spar"]
    command += [f"--odoo-config={alone.config}", "--odoo-http", "-q"]
    command += [f"{ADDON}/tests/{name}.py" for name in TESTS.split()]
    done = subprocess.run(
        command, cwd=ROOT, env=alone.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout


def test_store_is_absent(alone, server):
    """Otherwise the test above proves nothing."""
    settings = {**server.postgres.settings, "dbname": alone.database}
    assert read_installed(settings) == {
        "spar_fa_directory",
        "spar_mapper_connector",
        "spar_staff_login",
        ADDON,
    }


def read_installed(settings: dict) -> set[str]:
    words = " ".join(f"{key}={value}" for key, value in settings.items() if value)
    connection = psycopg2.connect(words)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT name FROM ir_module_module
                    WHERE state = 'installed' AND name LIKE 'spar%'"""
            )
            return {name for (name,) in cursor.fetchall()}
    finally:
        connection.close()
