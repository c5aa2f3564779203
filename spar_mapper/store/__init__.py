"""Reading and writing of the store's tables: plain classes, no models."""
