"""A registry as commit 36df681 left it, with data in every state its store knows.

``data/demo-36df681.tar.xz`` contains its database (``database.sql``, from ``pg_dump``),
its keyring, its file of checkpoints (one line from before the story, one from after
it), the demo's own description (``facts.json``), who is in which state (``story.json``:
``groups``, and how many rows of each table are sealed with which key, for a rotation
has begun), and the answers of that time (``answers.json``: ``{kind: [{"question":
{...}, "answer": ...}]}``).

``old_store_make.py`` and ``old_store_story.py``, which only that commit runs, show how
it was made. ``old_store_questions.py`` asks any later code the same questions:

    known = restore(installation, folder)
    ...  # bring the database to the present code
    answers = ask(installation, folder)
    assert compare(known["answers"], answers) == []
"""

from itertools import zip_longest
from pathlib import Path

from setup.installation import Installation
from setup.places import write_private

from . import old_demo

ARCHIVE = Path(__file__).with_name("data") / "demo-36df681.tar.xz"
QUESTIONS = Path(__file__).with_name("old_store_questions.py")


def restore(installation: Installation, folder: Path) -> dict[str, dict]:
    """Make the old database, keyring and checkpoints those of an installation.

    The database must not exist yet; Odoo's configuration is left to the caller.

    :param folder: where the archive is unpacked
    :return: ``facts``, ``story`` and ``answers``
    """
    old_demo.unpack(folder, ARCHIVE)
    old_demo.restore(installation, folder)
    write_private(installation.checkpoints, (folder / "checkpoints.jsonl").read_text())
    return {name: old_demo.read(folder, name) for name in ("facts", "story", "answers")}


def ask(installation: Installation, folder: Path) -> dict[str, list]:
    """Return the present code's answers to the questions of the unpacked answers."""
    questions = str(folder / "answers.json")
    return installation.run_script(QUESTIONS, SPAR_QUESTIONS=questions)


def compare(before: dict[str, list], now: dict[str, list]) -> list[tuple]:
    """Return each ``(kind, question, old answer, new answer)`` with a difference.

    Of answers that are lists, only the items that differ are returned.

    :raises ValueError: when the questions differ
    """
    return [
        (kind, then["question"], *pair)
        for kind, entries in before.items()
        for then, again in zip(entries, now[kind], strict=True)
        for pair in _get_differing(then, again)
    ]


def _get_differing(then: dict, again: dict) -> list[tuple]:
    """Return the old and the new answer, or their items, where they differ.

    >>> then, again = ({"question": 1, "answer": each} for each in ([2, 3], [2]))
    >>> _get_differing(then, again)
    [(3, None)]
    """
    if then["question"] != again["question"]:
        raise ValueError(f"the questions differ: {then['question']}")
    stated = [then["answer"], again["answer"]]
    if not all(isinstance(answer, list) for answer in stated):
        stated = [[answer] for answer in stated]
    return [(was, now) for was, now in zip_longest(*stated) if was != now]
