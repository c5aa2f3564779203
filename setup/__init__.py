"""The parts of `./spar`, each a small module by subject; standard library only."""
