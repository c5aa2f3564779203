"""What stops a command."""


class Failure(Exception):
    """One line for the person who typed the command: what failed, what to do."""


class ServerAway(Failure):
    """The PostgreSQL that somebody else runs cannot be asked now."""


class DemoIncomplete(Failure):
    """The demo's database lacks some of what the demo shows."""
