"""The relying party's side of OpenID Connect, in pure code without records."""
