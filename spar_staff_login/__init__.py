from . import controllers, models, wizards
from .link_previews import limit_link_previews

limit_link_previews()
