"""The parts of ``./spar``: one small module per subject, standard library only."""
