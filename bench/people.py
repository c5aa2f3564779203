"""Invented people to measure with: a number stands for the same person everywhere.

Their IDs and accounts are as long as real ones; the accounts are spread over all the
providers and branches that ``scripts/participant.py`` makes.
"""

PROVIDERS = 20
BRANCHES = 10


def get_id(number: int) -> str:
    """Return the ID of a person, as sent on the wire.

    >>> get_id(7)
    'token:2OsmelWj9gHIdX8-00000000000000000007@nationalId'
    """
    return f"token:2OsmelWj9gHIdX8-{number:020d}@nationalId"


def get_provider_code(provider: int) -> str:
    return f"bench{provider:03d}"


def get_branch_code(branch: int) -> str:
    return f"mb{branch:04d}"


def get_provider(number: int) -> int:
    return number % PROVIDERS


def get_branch(number: int) -> int:
    return number // PROVIDERS % BRANCHES


def get_fa(number: int, generation: int = 0) -> str:
    """Return the address of a person; each generation has a different account.

    >>> get_fa(27, 1)
    'account:1010000000000000000027@mb0001.bench007'
    """
    branch = get_branch_code(get_branch(number))
    provider = get_provider_code(get_provider(number))
    return f"account:1{generation % 100:02d}{number:019d}@{branch}.{provider}"


def get_wallet_code() -> str:
    return "benchwallet"


def get_wallet_fa(number: int) -> str:
    """Return the wallet of a person, its number written as in the wallet's country.

    >>> get_wallet_fa(27)
    'mobile:0917 000 0027@benchwallet'
    """
    digits = f"{number % 10_000_000:07d}"
    return f"mobile:0917 {digits[:3]} {digits[3:]}@{get_wallet_code()}"


def get_stored_wallet_fa(number: int) -> str:
    """Return the same wallet in its canonical form.

    >>> get_stored_wallet_fa(27)
    'mobile:+639170000027@benchwallet'
    """
    return f"mobile:+63917{number % 10_000_000:07d}@{get_wallet_code()}"


def get_name(number: int) -> str:
    return f"Measured Person {number % 100_000_000:08d}"


def get_spoken_name(number: int) -> str:
    """Return a name that differs from number to number where digits do not count.

    >>> get_spoken_name(120)
    'Dafaba Measured'
    """
    return "".join("bdfgklmnrt"[int(digit)] + "a" for digit in str(number)).title() + (
        " Measured"
    )


def get_birth_year(number: int) -> int:
    return 1930 + number % 80


def get_phone(number: int) -> str:
    return f"+999{number % 1_000_000_000:09d}"
