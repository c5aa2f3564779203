import argparse
import contextlib
import io
from unittest.mock import patch

from odoo.tests import BaseCase

from .. import command_line
from ..exceptions import KeyringUnavailable


class FakeRegistry:
    """A registry of one database, whose cursor only records how it ended."""

    def __init__(self, models):
        self.models = models
        self.ended = None

    @contextlib.contextmanager
    def cursor(self):
        try:
            yield self
        except BaseException:
            self.ended = "rolled back"
            raise
        self.ended = "committed"


class TestCommandLine(BaseCase):
    def setUp(self):
        super().setUp()
        self.parser = argparse.ArgumentParser()
        command_line.add_options(self.parser, {"init": None, "show": None})
        self.registry = FakeRegistry({"spar.keyring"})

    def test_a_program_that_calls_a_command_is_named_in_its_place(self):
        """The program knows the database, so its users see none of Odoo's options."""
        parser = argparse.ArgumentParser(prog="odoo spar_keyring")
        with patch.dict("os.environ", {command_line.CALLED_AS: "./spar keyring"}):
            command_line.add_options(parser, {"show": None})
        output = parser.format_help()
        self.assertIn("usage: ./spar keyring", output)
        for word in ("odoo", "-d", "--database", "-c", "--config"):
            self.assertNotIn(word, output)

    def test_a_calling_program_sees_only_odoos_warnings(self):
        for called_as, quiet in (("./spar audit", True), ("", False)):
            with patch.dict("os.environ", {command_line.CALLED_AS: called_as}):
                with self.open_environment("spar.keyring"):
                    pass
            (given,), _options = self.config.parse_config.call_args
            self.assertEqual("--log-level=warn" in given, quiet)

    def parse(self, *arguments):
        return self.parser.parse_args(arguments)

    def open_environment(self, model):
        """Return the environment of a database that has only ``spar.keyring``."""
        fakes = contextlib.ExitStack()
        fakes.enter_context(
            patch.object(command_line, "Registry", lambda _name: self.registry)
        )
        fakes.enter_context(
            patch.object(command_line, "Environment", lambda cr, *_rest: cr.models)
        )
        self.config = fakes.enter_context(patch.object(command_line, "config"))
        self.addCleanup(fakes.close)
        options = self.parse("-d", "base1", "-c", "odoo.conf", "show")
        return command_line.open_environment(options, model)

    def assert_ends(self, text, model, error=None):
        with self.assertRaises(SystemExit) as caught:
            with self.open_environment(model):
                if error:
                    raise error
        self.assertEqual(str(caught.exception.code), text)
        self.assertEqual(self.registry.ended, "rolled back")

    def test_a_command_knows_database_and_action(self):
        options = self.parse("-d", "base1", "init")
        self.assertEqual((options.database, options.action), ("base1", "init"))

    def test_a_command_without_database_or_with_a_wrong_action_is_refused(self):
        for arguments in (("init",), ("-d", "base1"), ("-d", "base1", "destroy")):
            with self.subTest(arguments), self.assertRaises(SystemExit):
                with contextlib.redirect_stderr(io.StringIO()):
                    self.parse(*arguments)

    def test_the_work_is_committed_at_its_end(self):
        with self.open_environment("spar.keyring") as env:
            self.assertIn("spar.keyring", env)
        self.assertEqual(self.registry.ended, "committed")
        self.config.parse_config.assert_called_once_with(
            ["-d", "base1", "--no-http", "-c", "odoo.conf"], setup_logging=True
        )

    def test_a_missing_addon_ends_with_one_line(self):
        self.assert_ends(
            "base1: the addon of spar.audit is not installed", "spar.audit"
        )

    def test_a_mapper_error_ends_with_one_line(self):
        error = KeyringUnavailable("there is no file")
        self.assert_ends("base1: there is no file", "spar.keyring", error)

    def test_a_fault_is_not_hidden(self):
        with (
            self.assertRaises(ZeroDivisionError),
            self.open_environment("spar.keyring"),
        ):
            raise ZeroDivisionError

    def test_a_line_is_printed_at_once(self):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            command_line.say("a line")
        self.assertEqual(output.getvalue(), "a line\n")
