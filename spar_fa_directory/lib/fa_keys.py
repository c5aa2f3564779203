"""Keys of parts and codes of kinds of address: plain letters, digits and _."""

import re
import unicodedata


def suggest_key(name: str) -> str:
    """Return a code or key for a name: "" if the name has no Latin letters.

    >>> suggest_key("Numéro de série"), suggest_key("2nd part"), suggest_key("कोड")
    ('numero_de_serie', 'nd_part', '')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_0123456789")
