"""Make ``data/demo-36df681.tar.xz``, in a checkout of commit 36df681; for the record.

Added to that commit's own files are this one, ``old_store_story.py`` and
``old_store_questions.py``; its demo has 95 people instead of 1,200 (five of them came
to a counter), and its minimum numbers are lowered. While ``./spar demo`` serves that
demo:

    python -m tests.old_store_make messages

leaves changes that are pending because messages over REST requested them. After
``./spar stop``

    python -m tests.old_store_make archive FILE

applies the story to a copy of the demo's database, asks the questions, and writes the
archive. The old code answers again, for an unpacked and restored archive, with
``restored FOLDER``.
"""

import io
import json
import lzma
import shutil
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

from setup.commands import run
from setup.demo import get_facts_file, get_installation
from setup.installation import Installation
from setup.places import get_places, write_private
from setup.postgres import running

from .callbacks import Receiver
from .client import Client, Participant, build_items

STORY = Path(__file__).with_name("old_store_story.py")
QUESTIONS = Path(__file__).with_name("old_store_questions.py")
#: The demo's people who came to a counter: no programme and no bank alone changes what
#: staff were shown.
AT_A_COUNTER = range(90, 95)
#: Time for the callbacks to arrive.
SECONDS = 20


# === MESSAGES === #


def get_client(name: str) -> Client:
    demo = json.loads(get_places().demo_file.read_text())
    (found,) = [p for p in demo["participants"] if p["sender_id"].startswith(name)]
    return Client(demo["api"], Participant(**found))


def build_change(number: int) -> dict:
    """Return a change of the address of one of the demo's people."""
    id_value = f"token:{2_000_000_000 + number * 7_919:010}@nationalId"
    return {"id": id_value, "fa": f"account:{number:012}@BR01.DEMO"}


def send_messages() -> None:
    """Send three messages that are answered at once, and two by callback.

    Meanwhile the bank's callback address is that of the receiver.
    """
    receiver = Receiver()
    print("Set the bank's callback address, then Enter:", receiver.url)
    input()
    client = get_client("bank")
    sent = [send_message(client, number) for number in AT_A_COUNTER]
    time.sleep(SECONDS)
    assert len(receiver.received) == 2, receiver.received
    write_private(get_places().state / "messages.json", json.dumps(sent))


def send_message(client: Client, number: int) -> dict:
    """Request one change; return the key by which the message is found."""
    change = build_change(number)
    message = client.build_message("update", build_items([change]))
    path = "sync/update" if number < AT_A_COUNTER[3] else "update"
    answer = client.post(f"/mapper/{path}", json=message)
    assert answer.status_code == 200 and "NACK" not in answer.text, answer.text
    return {
        "sender_id": client.participant.sender_id,
        "operation": "update",
        "transaction_id": message["message"]["transaction_id"],
        "id_value": change["id"],
    }


# === THE ARCHIVE === #


def make(demo: Installation, folder: Path) -> dict[str, bytes]:
    """Return the content of the archive, by name."""
    installation = replace(demo, folder=folder, database="spar_from_36df681")
    folder.mkdir(parents=True, exist_ok=True)
    demo.server.drop_database(installation.database, folder / "dropdb.log")
    installation.copy_from(demo)
    messages = (get_places().state / "messages.json").read_text()
    result = installation.run_script(STORY, SPAR_MESSAGES=messages)
    questions_file = folder / "asked.json"
    write_private(questions_file, json.dumps(result.pop("asked")))
    answers = installation.run_script(QUESTIONS, SPAR_QUESTIONS=str(questions_file))
    trim(installation)
    dump = folder / "database.sql"
    run(
        [demo.server.binaries / "pg_dump", "--no-owner", "--no-privileges", "-f", dump]
        + [installation.database],
        log=folder / "pg_dump.log",
        env=demo.server.environment,
        failing="The database cannot be dumped",
    )
    return {
        "database.sql": dump.read_bytes().replace(EMPTY_PATH, PUBLIC_PATH),
        "keyring.json": installation.keyring.read_bytes(),
        "checkpoints.jsonl": installation.checkpoints.read_bytes(),
        "facts.json": get_facts_file(get_places()).read_bytes(),
        "story.json": json.dumps(result, indent=1, ensure_ascii=False).encode(),
        "answers.json": json.dumps(answers, ensure_ascii=False).encode(),
    }


#: Not needed in the dump: Odoo's copies of views for its editor, the editor's blocks,
#: texts about addons that are not installed and about fields, and translations of
#: views. They were half of it.
SPARED = """
    UPDATE ir_ui_view SET arch_prev = NULL;
    UPDATE ir_ui_view SET arch_db = jsonb_build_object('en_US', arch_db -> 'en_US')
     WHERE arch_db ? 'en_US';
    UPDATE ir_ui_view v SET arch_db = '{"en_US": "<t/>"}'
     WHERE v.inherit_id IS NULL AND v.type = 'qweb'
       AND NOT EXISTS (SELECT FROM ir_ui_view c WHERE c.inherit_id = v.id)
       AND (v.key LIKE 'website.s\\_%' OR v.key LIKE 'website.new\\_page%'
            OR v.key LIKE 'website.bs\\_%' OR v.key LIKE 'website.color\\_%');
    UPDATE ir_module_module SET summary = NULL, description = NULL, website = NULL
     WHERE state IN ('uninstalled', 'uninstallable');
    UPDATE ir_model_fields SET help = NULL;
"""


def trim(installation: Installation) -> None:
    """Remove what takes space and does not concern the store."""
    run(
        [installation.server.binaries / "psql", "-Xq", "-v", "ON_ERROR_STOP=1"]
        + ["-c", SPARED, installation.database],
        log=installation.folder / "trim.log",
        env=installation.server.environment,
        failing="The database cannot be made smaller",
    )


#: The old functions of the directory find each other in the search path only, which
#: `pg_dump` empties: as written, this dump cannot be restored.
EMPTY_PATH = b"set_config('search_path', '', false)"
PUBLIC_PATH = b"set_config('search_path', 'public', false)"
#: As ``xz -9e`` for long texts.
FILTER = {
    "id": lzma.FILTER_LZMA2,
    "preset": 9 | lzma.PRESET_EXTREME,
    "lc": 4,
    "pb": 0,
}


def write_archive(target: Path, files: dict[str, bytes]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
    target.write_bytes(lzma.compress(packed.getvalue(), filters=[FILTER]))


# === ASKING AGAIN === #


def query_restored(demo: Installation, folder: Path) -> None:
    """Compare the old code's answers for a restored database with the stored ones."""
    from .old_store import ask, compare, restore

    installation = replace(demo, folder=folder, database="spar_restored")
    folder.mkdir(parents=True, exist_ok=True)
    demo.server.drop_database(installation.database, folder / "dropdb.log")
    shutil.rmtree(folder, ignore_errors=True)
    known = restore(installation, folder)
    installation.write_config(port=8269, workers=0)
    differences = compare(known["answers"], ask(installation, folder))
    print(len(differences), "differences", differences[:5])
    demo.server.drop_database(installation.database, folder / "dropdb.log")


def main(what: str, *rest: str) -> None:
    if what == "messages":
        return send_messages()
    demo = get_installation(get_places())
    with running(demo.server):
        if what == "archive":
            write_archive(Path(rest[0]), make(demo, demo.folder / "story"))
        else:
            query_restored(demo, Path(rest[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
