"""The bundles of scripts and styles that editors of websites may change."""

from __future__ import annotations

#: The bundles that only websites load.
WEBSITES = (
    "web.assets_frontend",
    "web.assets_frontend_lazy",
    "web.assets_frontend_minimal",
)
#: The beginning of bundles that only websites and their builder load.
_OF_WEBSITES = (
    "web.assets_frontend",
    "website.",
    "website_",
    "html_builder.",
    "mass_mailing",
)


def is_of_websites(bundle: str) -> bool:
    """Return whether a bundle, or a file made of one, belongs to websites.

    >>> is_of_websites("web.assets_frontend_lazy.min.js"), is_of_websites("web.assets")
    (True, False)
    """
    return bundle.startswith(_OF_WEBSITES)
