"""The command ``python -m setup.payer_callbacks``, under the name it had before."""

from examples.payer.callbacks import main

if __name__ == "__main__":
    main()
