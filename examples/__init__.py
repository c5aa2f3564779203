"""Programs that show how others use the registry."""
