"""``odoo spar_migrate``: bring a previous store to the current layout."""

import os
import sys
from contextlib import contextmanager

from odoo.cli import Command

#: The most findings that are listed.
_LISTED = 1000


class SparMigrateCommand(Command):
    """Bring the store of a database to the layout of this version.

    Stop Odoo, make a backup, run this, then upgrade the addons. Every row is checked
    and resealed in new tables beside the old ones, which the new tables replace at the
    end. If the command is interrupted, run it again and it continues. Rows that the
    registry did not write are listed, and nothing is changed.

    The environment variable SPAR_KEYRING names the keyring. The old tables are kept;
    with --drop-old they are removed for good.

    Exit codes: 0 done, or nothing to do; 1 refused; 2 not possible now.
    """

    name = "spar_migrate"

    def run(self, args):
        self.parser.add_argument("-c", "--config", help="Odoo's configuration file")
        self.parser.add_argument("-d", "--database", required=True)
        self.parser.add_argument(
            "--batch", type=int, default=500, help="number of people per transaction"
        )
        self.parser.add_argument(
            "--drop-old",
            action="store_true",
            help="remove the previous tables once everything works",
        )
        options = self.parser.parse_args(args)
        self._configure(options)
        with self._open(options.database) as (cr, locking):
            if options.drop_old:
                self._drop_old(cr)
            else:
                self._migrate(cr, locking, options)

    def _configure(self, options):
        from odoo.tools import config

        given = ["-d", options.database, "--no-http"]
        if options.config:
            given += ["-c", options.config]
        config.parse_config(given, setup_logging=True)

    @contextmanager
    def _open(self, database):
        """Open two cursors on the database without loading its registry.

        The registry cannot be loaded: the code does not match the old schema yet.
        """
        from psycopg2 import Error
        from psycopg2.errors import LockNotAvailable

        from odoo.sql_db import db_connect

        try:
            connection = db_connect(database)
            with connection.cursor() as cr, connection.cursor() as locking:
                yield cr, locking
        except LockNotAvailable:
            self._abort(f"{database}: another process is using the store; stop Odoo")
        except Error as error:
            self._abort(f"{database}: {str(error).strip()}")

    def _migrate(self, cr, locking, options):
        # A relative import is not possible: Odoo loads this file outside the addon.
        # pylint: disable=odoo-addons-relative-import
        from odoo.addons.spar_mapper.store.auditing import CHECK
        from odoo.addons.spar_mapper.store.migration import position, running

        if not position.has_store(cr):
            self._abort(f"{cr.dbname}: spar_mapper is not installed there")
        if not position.has_old_layout(cr):
            self._say(
                "The store already has the layout of this version. Nothing to do."
            )
            return
        self._block_writers(cr, locking)
        keyring = self._open_keyring(cr)
        migration = running.Migration(CHECK, cr, keyring, self._say, options.batch)
        try:
            migration.build()
        except running.MigrationRefused as refused:
            self._refuse(refused)
        migration.swap(locking)
        locking.commit()
        self._say("Done. Now upgrade the addons (odoo -u all).")
        self._say(
            "The previous tables are kept in the schema spar_before, with their sealed "
            "values. Once everything works, remove them (odoo spar_migrate "
            "--drop-old)."
        )

    def _block_writers(self, cr, locking):
        """Block writes to the old tables until the end; refuse if others use them."""
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.store.migration import swapping

        # Rows that the other cursor commits meanwhile must be visible at the end.
        locking.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        # This transaction is idle as long as the other cursor works.
        locking.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        own = []
        for each in (cr, locking):
            each.execute("SELECT pg_backend_pid()")
            own += each.fetchone()
        if others := swapping.count_others(cr, own):
            self._abort(
                f"Other sessions are connected to the database ({others}): stop Odoo"
                " and all other programs that use it, then run this again."
            )
        swapping.lock(locking, "SHARE")

    def _open_keyring(self, cr):
        # pylint: disable=odoo-addons-relative-import
        from odoo.addons.spar_mapper_connector.exceptions import MapperError
        from odoo.addons.spar_mapper_connector.lib import keyring_rows

        try:
            path = keyring_rows.get_path(os.environ, cr.dbname)
            return keyring_rows.open_over(cr, path)
        except MapperError as error:
            self._abort(f"{cr.dbname}: {error}")

    def _drop_old(self, cr):
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.store.migration import swapping

        if swapping.drop_old(cr):
            self._say("The previous tables have been removed.")
        else:
            self._say("There are no previous tables.")

    # === OUTPUT === #

    def _refuse(self, refused):
        for line in refused.findings[:_LISTED]:
            self._say(line)
        count = len(refused.findings)
        reason = (
            f"{count} rows are not what the registry wrote. Examine each of them."
            if refused.is_old
            else f"{count} rows were not converted correctly: a fault of this command."
        )
        self._say(f"Not migrated; nothing was changed. {reason}")
        sys.exit(1)

    def _abort(self, line):
        print(line, file=sys.stderr, flush=True)  # pylint: disable=print-used
        sys.exit(2)

    def _say(self, line):
        print(line, flush=True)  # pylint: disable=print-used
