"""Open people's pages and search for people as a clerk; run by Odoo's shell.

BENCH_SEARCHES is how often each is done: to people chosen at random among those who are
linked. The measurements are written to the file named by SPAR_ANSWER, beside those of
an empty form of Odoo in the same process.
"""

import json
import os
import random
import sys
import time

sys.path.insert(0, os.environ["SPAR_ROOT"])

from lxml import etree  # noqa: E402  (after the path)

from bench import people  # noqa: E402
from bench.clock import get_percentile  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

GROUPS = ("base.group_user", "spar_fa_directory.group_officer")
LOGIN = "bench.officer"
#: A clerk's searches: more within an hour need a reason.
SEARCHES_EACH = 50


def add_officers(searches):
    """Return enough clerks for the searches: new ones, whose budgets are unspent."""
    users = env["res.users"].with_context(no_reset_password=True)
    groups = [env.ref(name).id for name in GROUPS]
    values = {"name": "Bench", "group_ids": [(6, 0, groups)]}
    logins = [
        f"{LOGIN}.{time.time_ns()}" for _each in range(0, searches, SEARCHES_EACH)
    ]
    return users.create([{**values, "login": login} for login in logins])


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


def run():
    """Measure both, and check that each person was found."""
    searches = int(os.environ["BENCH_SEARCHES"])
    officers = add_officers(searches)
    env.cr.commit()
    cr = env.cr
    cr.execute("SELECT count(*) FROM spar_subject")
    rows = cr.fetchone()[0]
    cr.execute("SELECT count(*) FROM spar_bench_person")
    linked = cr.fetchone()[0]
    numbers = [random.randrange(linked) for _search in range(searches)]
    found = []

    def search(typed):
        officer = officers[len(found) // SEARCHES_EACH]
        wizards = env["spar.find.wizard"].with_user(officer)
        found.append(wizards.create({"typed": typed}).action_find())

    def open_page(action):
        pages = env[action["res_model"]].with_user(officers[0])
        page = pages.browse(action["res_id"])
        if not open_form(page)[0]["is_paid"]:
            raise ValueError("a person who is paid is shown as not paid")

    half = searches // 2
    typed = [people.get_id(number) for number in numbers[:half]]
    typed += [people.get_fa(number) for number in numbers[half:]]
    empty = env["res.partner.category"].create({"name": "Empty"})
    open_form(empty)
    answer = {"rows": rows, "search": measure(search, typed)}
    if not all(found):
        raise ValueError("a person who is linked was not found")
    open_page(found[0])
    answer["page"] = measure(open_page, found)
    answer["empty"] = measure(lambda _number: open_form(empty), numbers)
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
