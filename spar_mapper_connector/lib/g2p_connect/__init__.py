"""The wire format of G2P Connect 1.0 (financial address mapper), free of Odoo.

``wire_json`` reads bytes, ``headers`` and ``envelope`` what stands around the items,
``items`` what is asked; ``answers`` says what came of it in the words of the one table
in ``codes``. ``profiles`` say how strict the syntax is, for whom.
"""
