"""Keys, signatures and tokens (JOSE: RFC 7515 to 7519, 7638), free of Odoo.

Four algorithms and no other: PS256, ES256 (P-256), EdDSA (Ed25519), RS256. What a key
may do is said by the key, never by a message. ``keys`` reads and writes them,
``canonical`` gives the bytes that are signed of a JSON document, ``signatures`` are
detached JWS, ``tokens`` JWT, ``encryption`` opens JWE, ``key_sets`` fetches and keeps
the keys that others publish.
"""
