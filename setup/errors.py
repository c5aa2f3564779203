"""What stops a command."""


class Failure(Exception):
    """One line for the person who typed the command: what failed, what to do."""


class DemoIncomplete(Failure):
    """The demo's database lacks some of what the demo shows."""
