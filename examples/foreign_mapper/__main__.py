"""Run the foreign mapper: ``python -m examples.foreign_mapper --port 8090``."""

import argparse
import secrets

from .accounts import Accounts
from .server import ForeignMapper


def main() -> None:
    parser = argparse.ArgumentParser(description="A mapper with its own protocol.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--token", default=secrets.token_urlsafe(16))
    parser.add_argument(
        "--delay", type=float, default=5.0, help="seconds until a change is visible"
    )
    words = parser.parse_args()
    accounts = Accounts(delay=words.delay)
    mapper = ForeignMapper(words.token, accounts, words.port)
    print(f"URL: {mapper.url}\nToken: {words.token}\nPress Ctrl-C to stop it.")
    try:
        mapper.serve()
    except KeyboardInterrupt:
        print("The mapper has stopped.")


if __name__ == "__main__":
    main()
