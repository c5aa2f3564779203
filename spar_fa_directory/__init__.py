from . import lib, models, wizards
