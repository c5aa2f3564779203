"""The errors that stop a command."""


class Failure(Exception):
    """One line for the person who typed the command: what failed, and what to do."""


class ServerUnavailable(Failure):
    """An external PostgreSQL server cannot be reached at present."""


class DemoIncomplete(Failure):
    """The demo's database lacks some of the data that the demo shows."""
