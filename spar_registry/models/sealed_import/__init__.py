from . import spar_sealed_import_part
from . import spar_sealed_import_chunk
from . import spar_sealed_import_seen
from . import spar_sealed_import
