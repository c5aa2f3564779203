"""The command ``python -m setup.payer``, which is now ``python -m examples.payer``."""

from examples.payer.__main__ import main

if __name__ == "__main__":
    main()
