"""Open people's pages and search for people as a clerk; run by Odoo's shell.

BENCH_SEARCHES is how often each is done: to people chosen at random among those who are
linked. For the search by name they are people of a registry for the time of the run,
among others with names. The measurements are written to the file named by SPAR_ANSWER,
beside those of an empty form of Odoo in the same process.
"""

import json
import os
import random
import sys
import time

sys.path.insert(0, os.environ["SPAR_ROOT"])

from lxml import etree  # noqa: E402  (after the path)

from odoo.tools import SQL  # noqa: E402

from bench import people  # noqa: E402
from bench.clock import get_percentile  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

GROUPS = ("base.group_user", "spar_fa_directory.group_officer")
LOGIN = "bench.officer"
#: A clerk's searches: more within an hour need a reason.
SEARCHES_EACH = 50
#: The most people of the registry who have other names than those searched for.
OTHERS = 50_000


def add_officers(searches):
    """Return enough clerks for the searches: new ones, whose budgets are unspent."""
    users = env["res.users"].with_context(no_reset_password=True)
    groups = [env.ref(name).id for name in GROUPS]
    values = {"name": "Bench", "group_ids": [(6, 0, groups)]}
    logins = [
        f"{LOGIN}.{time.time_ns()}" for _each in range(0, searches, SEARCHES_EACH)
    ]
    return users.create([{**values, "login": login} for login in logins])


def add_people(numbers, others):
    """Make linked people known to the registry by name, among others with names."""
    types = env["spar.id.type"]
    partners = env["res.partner"].create(
        [
            {
                "name": people.get_spoken_name(number),
                "spar_birth_year": people.get_birth_year(number),
            }
            for number in numbers
        ]
    )
    env["spar.person.identity"]._add_batch(
        {
            partner.id: (types._identify(people.get_id(number)), people.get_id(number))
            for partner, number in zip(partners, numbers, strict=True)
        }
    )
    env.flush_all()
    copy_names(partners[:1], others)
    env.cr.execute("ANALYZE res_partner, spar_person_name, spar_person_identity")


def copy_names(partner, count):
    """Add contacts like one that the ORM made, with keys of names of their own."""
    env.cr.execute(
        """SELECT attname FROM pg_attribute
            WHERE attrelid = 'res_partner'::regclass AND attnum > 0
              AND NOT attisdropped AND attname <> 'id'"""
    )
    columns = SQL(", ").join(SQL.identifier(name) for (name,) in env.cr.fetchall())
    query = SQL(
        """WITH added AS (
               INSERT INTO res_partner (%s)
               SELECT %s FROM res_partner, generate_series(1, %s)
                WHERE res_partner.id = %s RETURNING id)
           INSERT INTO spar_person_name (partner_id, keys)
           SELECT id, ARRAY['msrd', 'z' || id, 'y:' || 1930 + id %% 80] FROM added""",
        columns,
        columns,
        count,
        partner.id,
    )
    env.cr.execute(query)


def build_spec(node, fields):
    """Return what the web client reads for a view: its fields, and those of lists."""
    spec = {}
    for field in node.iter("field"):
        if next(field.iterancestors("field"), None) is not None:
            continue
        name = field.get("name")
        inner = {each.get("name"): {} for each in field.iter("field") if each != field}
        relation = fields[name].get("relation")
        many2one = {"fields": {"display_name": {}}} if relation else {}
        spec[name] = {"fields": inner} if inner else many2one
    return spec


def open_form(record):
    """Read a form as the web client does when a page is opened."""
    views = record.get_views([(False, "form")])
    tree = etree.fromstring(views["views"]["form"]["arch"])
    fields = views["models"][record._name]["fields"]
    return record.web_read(build_spec(tree, fields))


def measure(call, arguments):
    """Return how long the calls take, each with nothing cached from the one before."""
    times = []
    for argument in arguments:
        env.invalidate_all()
        start = time.perf_counter()
        call(argument)
        times.append(time.perf_counter() - start)
    times.sort()
    return {
        "calls": len(times),
        "p50_ms": round(get_percentile(times, 50), 1),
        "p95_ms": round(get_percentile(times, 95), 1),
    }


def count(table):
    """Return how many rows a table has."""
    env.cr.execute(SQL("SELECT count(*) FROM %s", SQL.identifier(table)))
    return env.cr.fetchone()[0]


def choose_typed(numbers):
    """Return what clerks type to find people: IDs first, and then accounts."""
    half = len(numbers) // 2
    typed = [people.get_id(number) for number in numbers[:half]]
    return typed + [people.get_fa(number) for number in numbers[half:]]


def find(officer, **typed):
    """Search in the landing box; return the box and where it leads."""
    wizard = env["spar.find.wizard"].with_user(officer).create(typed)
    return wizard, wizard.action_find()


def measure_search(officers, typed):
    """Measure the search by number; return the pages of those who were found, too."""
    found = []

    def search(text):
        officer = officers[len(found) // SEARCHES_EACH]
        found.append(find(officer, typed=text)[1])

    measured = measure(search, typed)
    if not all(found):
        raise ValueError("a person who is linked was not found")
    return measured, found


def measure_pages(officer, found):
    """Measure a person's page, and an empty form of Odoo beside it."""

    def open_page(action):
        pages = env[action["res_model"]].with_user(officer)
        page = pages.browse(action["res_id"])
        if not open_form(page)[0]["is_paid"]:
            raise ValueError("a person who is paid is shown as not paid")

    empty = env["res.partner.category"].create({"name": "Empty"})
    open_form(empty)
    open_page(found[0])
    return {
        "page": measure(open_page, found),
        "empty": measure(lambda _action: open_form(empty), found),
    }


def measure_names(officers, numbers):
    """Measure the search by name and year of birth."""
    named = []

    def search(number):
        wizard, _action = find(
            officers[len(named) // SEARCHES_EACH],
            person_name=people.get_spoken_name(number),
            birth_year=str(people.get_birth_year(number)),
        )
        named.append(len(wizard.line_ids))

    measured = measure(search, numbers)
    if not all(named):
        raise ValueError("a person of the registry was not found by name")
    return measured


def run():
    """Measure all, and check that each person was found."""
    searches = int(os.environ["BENCH_SEARCHES"])
    officers, others = add_officers(searches), add_officers(searches)
    env.cr.commit()
    rows, linked = count("spar_subject"), count("spar_bench_person")
    numbers = [random.randrange(linked) for _search in range(searches)]
    search, found = measure_search(officers, choose_typed(numbers))
    pages = measure_pages(officers[0], found)
    add_people(sorted(set(numbers)), min(rows, OTHERS))
    answer = {
        "rows": rows,
        "search": search,
        **pages,
        "name": measure_names(others, numbers),
    }
    env.cr.rollback()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
