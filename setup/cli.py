"""The calls that can be typed after ``./spar``."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from . import serving
from .errors import Failure
from .places import get_places
from .progress import warn

DEFAULT_PORT = 8069
DEFAULT_WORKERS = 2
DEFAULT_ROWS = 100_000
DEFAULT_CLIENTS = 4
DEFAULT_SECONDS = 5.0
DEFAULT_BRANCHES = 170_000
DEFAULT_PEOPLE = 100_000
DEFAULT_ACCOUNTS = 100_000
DEFAULT_SEARCHES = 100
#: Calls of ours that are commands of Odoo.
COMMANDS = {"keyring": "spar_keyring", "audit": "spar_audit"}

#: The two servers of the demo with portal and store apart.
PARTS = ("store", "portal")


def _add_number(parser, name: str, default: float, text: str) -> None:
    """Add an option with a number, whose default is stated in its help."""
    parser.add_argument(
        name, type=type(default), default=default, help=f"{text} (%(default)s)"
    )


def _add_serving(parser: argparse.ArgumentParser) -> None:
    _add_number(parser, "--port", DEFAULT_PORT, "the port of the demo")
    _add_number(parser, "--workers", DEFAULT_WORKERS, "worker processes of Odoo")
    parser.add_argument(
        "--apart",
        action="store_true",
        help="portal and store are two servers with two databases; the store listens "
        "on the next port",
    )
    parser.add_argument(
        "--second-factor",
        action="store_true",
        help="staff set up a second factor at their first login",
    )


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    _add_number(parser, "--rows", DEFAULT_ROWS, "mappings in the database")
    _add_number(parser, "--clients", DEFAULT_CLIENTS, "client processes")
    _add_number(parser, "--seconds", DEFAULT_SECONDS, "seconds for each kind of work")
    _add_number(parser, "--workers", DEFAULT_WORKERS, "worker processes of Odoo")
    text = "branches in the directory; 0 skips it"
    _add_number(parser, "--branches", DEFAULT_BRANCHES, text)
    text = "people whose payment readiness is checked; 0 skips it"
    _add_number(parser, "--people", DEFAULT_PEOPLE, text)
    text = "rows in the file of accounts; 0 skips it"
    _add_number(parser, "--accounts", DEFAULT_ACCOUNTS, text)
    text = "a clerk's searches and pages, at most 200; 0 skips them"
    _add_number(parser, "--searches", DEFAULT_SEARCHES, text)


def _add_passing(calls: argparse._SubParsersAction, call: str, text: str) -> None:
    """Add a call that passes all its words, options included, to another program."""
    # "\0" as the prefix character: no word is parsed as an option of ours.
    ours = {"prefix_chars": "\0", "add_help": False}
    calls.add_parser(call, help=text, **ours).add_argument(
        "words", nargs=argparse.REMAINDER
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the calls and their options."""
    parser = argparse.ArgumentParser(prog="spar", description="SPAR on Odoo.")
    calls = parser.add_subparsers(dest="call", required=True, metavar="CALL")
    demo = calls.add_parser("demo", help="run SPAR with demo data until Ctrl-C")
    _add_serving(demo)
    demo.add_argument(
        "--detach",
        action="store_true",
        help="return when ready; end it with ./spar stop",
    )
    _add_serving(calls.add_parser("_serve"))
    calls.add_parser("stop", help="stop the demo")
    _add_passing(calls, "test", "run every test; options go to pytest")
    _add_measuring(calls.add_parser("bench", help="measure the API beside plain SQL"))
    of_two = "; --apart store or --apart portal first: of the demo in two databases"
    text = f"open Odoo's shell on the demo's database{of_two}"
    _add_passing(calls, "shell", text)
    for call, name in COMMANDS.items():
        text = f"run Odoo's command {name} on the demo's database{of_two}"
        _add_passing(calls, call, text)
    return parser


def _split_part(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return which of two databases is chosen ("" for the only one), and the rest.

    :raises Failure: when ``--apart`` names neither

    >>> _split_part(["--apart", "store", "check"]), _split_part(["check"])
    (('store', ['check']), ('', ['check']))
    """
    if not words or words[0] != "--apart":
        return "", words
    if len(words) < 2 or words[1] not in PARTS:
        raise Failure("Write --apart store or --apart portal.")
    return words[1], words[2:]


def _call(arguments: argparse.Namespace) -> int:
    places = get_places()
    given = vars(arguments)
    match given.pop("call"):
        case "demo":
            serving.demo(places, **given)
        case "_serve":
            serving.serve_prepared(places, **given)
        case "stop":
            serving.stop(places)
        case "shell":
            part, words = _split_part(given["words"])
            return serving.run_odoo(places, "shell", "--no-http", *words, part=part)
        case call if call in COMMANDS:
            part, words = _split_part(given["words"])
            return serving.run_odoo(places, COMMANDS[call], *words, part=part)
        case "test":
            from . import testing

            return testing.test(places, given["words"])
        case "bench":
            from bench.benchmark import bench

            bench(places, **given)
    return 0


def main(words: Sequence[str]) -> int:
    """Run one call and return its exit code; a failure is reported in one line."""
    signal.signal(signal.SIGTERM, lambda *_received: sys.exit(143))
    try:
        return _call(build_parser().parse_args(words))
    except Failure as failure:
        warn(f"spar: {failure}")
        return 1
    except BrokenPipeError:  # the reader of our output has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        warn("spar: interrupted; run the same command again to continue.")
        return 130
