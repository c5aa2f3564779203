"""A payer's side of the REST interface: keys, signatures, tokens, calls, callbacks.

Small enough to be read and copied; needs ``pyjwt``, ``cryptography`` and ``requests``.
``python -m examples.payer`` makes a key and calls;
``python -m examples.payer.callbacks`` calls asynchronously and waits for the callback.
"""
