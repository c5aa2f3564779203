from . import vocabulary
from . import vocabulary_code
