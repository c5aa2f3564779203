from . import refused_rows
