"""The parts of people's pages that need no database."""
