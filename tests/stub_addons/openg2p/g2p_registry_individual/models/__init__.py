from . import individual
