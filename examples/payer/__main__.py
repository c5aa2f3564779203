"""Make a key, or call the registry with it: ``python -m examples.payer``.

key FILE            make a key pair: write the private key to FILE, show the public
call FILE ACTION    sign the items on standard input (a JSON list) and send them
"""

import argparse
import json
import sys
from pathlib import Path

from .client import Client
from .files import failing_in_one_line, make_key, read_items, read_key, read_settings
from .messages import build_items
from .signatures import verify_answer


def call(client: Client, action: str, values: list[dict]) -> dict:
    """Return the answer to a signed message, after verifying its signature.

    :raises ValueError: when the signature is not the registry's
    """
    response = client.send(action, client.build_message(action, build_items(values)))
    response.raise_for_status()
    answer = response.json()
    if not verify_answer(answer, client.fetch_keys()):
        raise ValueError("the answer is not signed by the registry")
    return answer


@failing_in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.payer",
        description=__doc__.replace("`", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("do", choices=("key", "call"))
    parser.add_argument("file", type=Path, help="the private key (JWK)")
    parser.add_argument("action", nargs="?", default="resolve")
    parser.add_argument(
        "--settings", type=Path, help="a JSON file: api, sender_id, client_id, ..."
    )
    options = parser.parse_args()
    if options.do == "key":
        print(json.dumps(make_key(options.file), indent=1))
        return
    if options.settings is None:
        parser.error("a call needs --settings")
    client = Client(read_settings(options.settings), read_key(options.file))
    answer = call(client, options.action, read_items(sys.stdin))
    print(json.dumps(answer, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
