"""What SPAR's commands for ``odoo`` have in common.

Odoo loads a command's file by itself, outside its addon: it imports this only while it
runs.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

from .exceptions import MapperError


def add_options(parser: argparse.ArgumentParser, actions) -> None:
    """The options of every command: which database, and what to do."""
    parser.add_argument("-c", "--config", help="Odoo's configuration file")
    parser.add_argument("-d", "--database", required=True)
    parser.add_argument("action", choices=list(actions))


@contextmanager
def open_environment(options: argparse.Namespace, model: str) -> Iterator[Environment]:
    """The superuser's environment of the database, committed at the end.

    Ends the program with one line when ``model`` is not there, or on a MapperError.
    """
    odoo_options = ["-d", options.database, "--no-http"]
    if options.config:
        odoo_options += ["-c", options.config]
    config.parse_config(odoo_options, setup_logging=True)
    with Registry(options.database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        if model not in env:
            sys.exit(f"{options.database}: the addon of {model} is not installed there")
        try:
            yield env
        except MapperError as error:
            sys.exit(f"{options.database}: {error}")


def say(line: str) -> None:
    """Tell the person at the terminal, at once."""
    print(line, flush=True)  # pylint: disable=print-used
