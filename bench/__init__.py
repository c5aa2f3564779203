"""Measure the registry beside the floor: ``./spar bench``."""
