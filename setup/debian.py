"""Odoo 19 from Debian's unstable suite, by apt's own tools in a private folder.

The machine's package lists, cache and state are only read: mirrors and proxies are the
machine's own, and everything that is downloaded and unpacked stays in the given folder.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .commands import get_output, run
from .errors import Failure

PACKAGE = "odoo-19"
# What Odoo's links point to. The fonts of the second list have other files in unstable.
UNSTABLE = (
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
STABLE = ("fonts-font-awesome", "fonts-inconsolata")
# The accounting of each country is most of the package and SPAR uses none of it; the
# three folders beside Odoo are left there by the packaging.
LEFT_OUT = (
    "./usr/lib/python3/dist-packages/odoo/addons/l10n_*",
    "./usr/lib/python3/dist-packages/addons",
    "./usr/lib/python3/dist-packages/doc",
    "./usr/lib/python3/dist-packages/setup",
    "./usr/share/doc",
)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNREACHABLE = (
    "Cannot get Odoo 19 from Debian's mirror: check the network and its proxy, "
    "or set ODOO_HOME to an Odoo 19; then run this again"
)


def get_suite(os_release: str) -> str:
    """Return the machine's suite from the text of its os-release; empty if not Debian.

    >>> get_suite('ID=debian\\nVERSION_CODENAME=bookworm')
    'bookworm'
    >>> get_suite('ID=ubuntu\\nVERSION_CODENAME=noble')
    ''
    """
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    return fields.get("VERSION_CODENAME", "") if fields.get("ID") == "debian" else ""


def extract_mirrors(uris: str, suite: str) -> list[str]:
    """Return the mirrors of a suite, from what ``apt-get update --print-uris`` prints.

    >>> extract_mirrors("'http://m/debian/dists/sid/InRelease' m_InRelease 0", "sid")
    ['http://m/debian']
    """
    found = re.findall(r"^'(\S+)/dists/(\S+)/InRelease'", uris, re.MULTILINE)
    return list(dict.fromkeys(mirror for mirror, name in found if name == suite))


def _get_settings(folder: Path) -> list[str]:
    """Return apt's settings, with all paths in our folder.

    The machine's own ``Acquire`` settings are included, so that its proxies apply.
    """
    dumped = get_output(["apt-config", "dump"]).splitlines()
    settings = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::main": folder / "none",
        "Dir::Etc::parts": folder / "parts",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "parts",
        "Dir::Etc::preferences": folder / "none",
        "Dir::Etc::preferencesparts": folder / "parts",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    return [line for line in dumped if line.startswith("Acquire::")] + [
        f'{key} "{value}";' for key, value in settings.items()
    ]


def _prepare_folder(folder: Path, mirror: str, suite: str) -> dict[str, str]:
    """Set up private sources, lists and cache; return the environment to use them."""
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    (folder / "sources.list").write_text(
        "".join(f"deb {signed}{mirror} {name} main\n" for name in (suite, "unstable"))
    )
    config = folder / "apt.conf"
    config.write_text("\n".join(_get_settings(folder)) + "\n")
    return {**os.environ, "APT_CONFIG": str(config)}


def _get_mirrors(folder: Path, suite: str) -> list[str]:
    lists = folder / "no-lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    output = get_output(
        ["apt-get", "update", "--print-uris", "-o", f"Dir::State::lists={lists}"]
    )
    return extract_mirrors(output, suite)


def _update(folder: Path, suite: str, log: Path) -> dict[str, str]:
    """Read the package lists of the first of the machine's mirrors that works.

    :return: the environment for apt
    :raises Failure: when no mirror works
    """
    failure = Failure("The machine's apt sources contain no Debian mirror")
    for mirror in _get_mirrors(folder, suite):
        env = _prepare_folder(folder, mirror, suite)
        try:
            run(
                ["apt-get", "update", "--error-on=any"],
                log=log,
                env=env,
                failing=UNREACHABLE,
            )
            return env
        except Failure as error:
            failure = error
    raise failure


def _unpack(archive: Path, target: Path) -> None:
    tar = ["tar", "-x", "-C", str(target), *(f"--exclude={path}" for path in LEFT_OUT)]
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE
    ) as source:
        done = subprocess.run(tar, stdin=source.stdout)
    if done.returncode or source.returncode:
        raise Failure(
            f"Cannot unpack {archive.name}: is the disk full? Run this again."
        )


def is_offered() -> bool:
    """Return whether this machine has apt's tools."""
    return all(map(shutil.which, ("apt-get", "apt-config", "dpkg-deb", "tar")))


def download(folder: Path, log: Path) -> Path:
    """Download and unpack Odoo and the targets of its links into ``folder``.

    :return: the folder of the unpacked package
    :raises Failure: when this is no Debian machine, or there is no mirror or network
    """
    release = Path("/etc/os-release")
    suite = get_suite(release.read_text() if release.exists() else "")
    if not suite:
        raise Failure("This machine does not run Debian")
    env = _update(folder, suite, log)
    wanted = [f"{name}/unstable" for name in (PACKAGE, *UNSTABLE)]
    wanted += [f"{name}/{suite}" for name in STABLE]
    archives, target = folder / "archives", folder / "unpacked"
    for place in (archives, target):
        place.mkdir()
    run(
        ["apt-get", "download", *wanted],
        log=log,
        env=env,
        cwd=archives,
        failing=UNREACHABLE,
    )
    for archive in sorted(archives.glob("*.deb")):
        _unpack(archive, target)
        archive.unlink()
    return target
