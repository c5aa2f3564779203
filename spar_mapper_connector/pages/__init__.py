"""Light pages for people: templates from files, and their frame."""
