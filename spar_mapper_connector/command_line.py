"""The common parts of SPAR's commands for ``odoo``.

Odoo loads a command's file by itself, outside its addon, so a command imports this
module only when it runs.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

from .exceptions import MapperError

#: Set by a program that calls one of our commands and supplies the database: the name
#: by which users call that program.
CALLED_AS = "SPAR_CALLED_AS"


def add_options(
    parser: argparse.ArgumentParser, actions, needs_database: bool = True
) -> None:
    """Add the options of a command: the database, and the action.

    :param needs_database: False if an action can do without one
    """
    add_database(parser, needs_database)
    parser.add_argument("action", choices=list(actions))


def add_database(parser: argparse.ArgumentParser, is_needed: bool = True) -> None:
    """Add the option of every command: the database."""
    called_as = os.environ.get(CALLED_AS)
    parser.prog = called_as or parser.prog
    about = {
        "-c": argparse.SUPPRESS if called_as else "Odoo's configuration file",
        "-d": argparse.SUPPRESS if called_as else None,
    }
    parser.add_argument("-c", "--config", help=about["-c"])
    parser.add_argument("-d", "--database", required=is_needed, help=about["-d"])


@contextmanager
def open_environment(options: argparse.Namespace, model: str) -> Iterator[Environment]:
    """Yield the superuser's environment of the database; commit at the end.

    Exits with a one-line message when ``model`` is missing, or on a MapperError.
    """
    odoo_options = ["-d", options.database, "--no-http"]
    if options.config:
        odoo_options += ["-c", options.config]
    if os.environ.get(CALLED_AS):
        # Users of the calling program do not know that Odoo runs: its log is noise to
        # them.
        odoo_options.append("--log-level=warn")
    config.parse_config(odoo_options, setup_logging=True)
    with Registry(options.database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        if model not in env:
            sys.exit(f"{options.database}: the addon of {model} is not installed")
        try:
            yield env
        except MapperError as error:
            sys.exit(f"{options.database}: {error}")


def say(line: str) -> None:
    """Print a line for the user at the terminal, at once."""
    print(line, flush=True)  # pylint: disable=print-used
