"""The store as it was before places and the chains of subjects, and how it goes on."""
