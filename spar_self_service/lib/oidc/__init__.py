"""OpenID Connect from the relying party's side; pure: knows no record."""
