"""A mapper of others, to connect: ``python -m examples.foreign_mapper`` runs it.

It has a protocol of its own, knows neither versions nor history, and makes changes some
time after it has accepted them. It needs nothing but Python, and forgets everything
when it ends.
"""
