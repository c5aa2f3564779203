"""The store as it was before places and the chains of subjects, and its migration."""
