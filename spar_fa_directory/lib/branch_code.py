"""The format of a bank's branch codes, so that 30100 and 030100 are one branch.

A form has one sign for each sign of the code: 0 for a digit, A for a letter, ? for
either; any other sign stands for itself.
"""

import re
from functools import lru_cache

_SIGNS = {"0": "[0-9]", "A": "[A-Z]", "?": "[0-9A-Z]"}
_FORM = re.compile(r"[!-~]{1,30}")
_COUNTED = re.compile(r"([^0?]*)(0+)")


def is_branch_code_form(form: str) -> bool:
    """Return whether ``form`` is a valid format of branch codes.

    >>> is_branch_code_form("000000"), is_branch_code_form("0 0")
    (True, False)
    """
    return bool(_FORM.fullmatch(form))


def fit_branch_code(code: str, form: str) -> str:
    """Return a code in a bank's form, zero-padded; "" for one that does not fit.

    >>> fit_branch_code("30100", "000000"), fit_branch_code("br7", "BR000")
    ('030100', 'BR007')
    >>> fit_branch_code("0030100", "000000"), fit_branch_code("3010A", "000000")
    ('030100', '')
    >>> fit_branch_code("tb.n", "")
    'tb.n'
    """
    if not form:
        return code
    plain, form = code.upper(), form.upper()
    if counted := _COUNTED.fullmatch(form):
        plain = _count(plain, *counted.groups())
    return plain if _build_pattern(form).fullmatch(plain) else ""


def list_writings(code: str, form: str) -> list[str]:
    """Return the other spellings of a code: padded, and without its leading zeros.

    >>> list_writings("30100", "000000"), list_writings("br007", "BR000")
    (['030100'], ['BR7'])
    >>> list_writings("3010A", "000000"), list_writings("30100", "")
    ([], [])
    """
    whole = fit_branch_code(code, form)
    counted = _COUNTED.fullmatch(form.upper())
    if not (whole and counted):
        return []
    prefix = counted[1]
    short = prefix + whole[len(prefix) :].lstrip("0")
    return [each for each in (whole, short) if each != code.upper()]


def _count(code: str, prefix: str, zeros: str) -> str:
    """Return a code whose number has as many digits as the form has zeros."""
    digits = code[len(prefix) :]
    if not (digits.isascii() and digits.isdigit()):
        return code
    return code[: len(prefix)] + digits.lstrip("0").zfill(len(zeros))


@lru_cache(maxsize=256)
def _build_pattern(form: str) -> re.Pattern[str]:
    return re.compile("".join(_SIGNS.get(sign) or re.escape(sign) for sign in form))
