from . import spar_table_import
