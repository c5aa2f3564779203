"""The wire format between two SPARs, beyond G2P Connect; both directions side by side.

Requests and results are those of the contract (``lib/contract.py``), member by member:
nothing is lost on the way. The header, its checks and the signatures are those of G2P
Connect. ``docs/spar-to-spar.md`` describes the format.
"""
