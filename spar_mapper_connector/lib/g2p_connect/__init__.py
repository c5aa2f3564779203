"""The wire format of G2P Connect 1.0 (financial address mapper), free of Odoo.

``wire_json`` reads bytes, ``headers`` and ``envelope`` the parts around the items,
``items`` the requests; ``answers`` expresses the results in the words of the one table
in ``codes``. ``profiles`` define how strict the syntax is, and for which participants.
"""
