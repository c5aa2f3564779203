"""Run addon tests quickly: upgrade the kept database in place instead of making it anew. usage: fast.py [-u mod,mod] paths..."""
import sys, os
sys.path.insert(0, os.getcwd())
from setup import testing
from setup.places import get_places
from setup.odoo_source import get_odoo
from setup.postgres import running
from setup.installation import Installation
places = get_places(); source = get_odoo(places)
args = sys.argv[1:]
mods = []
if args and args[0] == "-u":
    mods = args[1].split(","); args = args[2:]
inst = testing._get_installation(places, source, testing.ADDONS)
base = (getattr(testing,"get_base",None) or testing._get_base)(inst)
with running(inst.server, hasty=True):
    inst.server.run_as_admin(testing.TAMPERING)
    if mods:
        base.upgrade(mods)
    inst.copy_from(base)
    testing._test_addons(inst, args)
