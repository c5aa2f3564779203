"""How the store's tables are read and written: plain classes, no models."""
