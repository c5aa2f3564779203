"""The client of another mapper that speaks G2P Connect or one of OpenG2P's versions.

``dialects`` names the paths and what each version can do, ``exchange`` is one HTTP call
with its proofs, ``messages`` are the requests of one message and its answer, and
``client`` sends them in chunks, and asks what became of those without an answer.
"""
