"""Keys, signatures and tokens (JOSE: RFC 7515 to 7519, 7638), free of Odoo.

Only four algorithms: PS256, ES256 (P-256), EdDSA (Ed25519), RS256. The key determines
what it may be used for, never a message. ``keys`` reads and writes keys, ``canonical``
returns the bytes of a JSON document that are signed, ``signatures`` are detached JWS,
``tokens`` JWT, ``encryption`` decrypts JWE, ``key_sets`` fetches and caches the keys
that others publish.
"""
