"""A beneficiary on the pages in Chromium: by mouse, by keyboard, on any connection."""

import time
from dataclasses import dataclass, field

from .accessibility import find_barriers, find_small_targets
from .chromium import Page
from .person import ProviderAtWork

#: The field of the page on which the store reviews a change, and what to type in it.
FIELD, DIGITS = "input[name='digits']", ".digits"


@dataclass
class Visitor:
    """A user with a window; with ``checks``, axe examines every page of ours.

    Ours are those at ``url``, and at ``others``.
    """

    page: Page
    url: str
    facts: dict
    is_by_keyboard: bool = False
    checks: bool = True
    barriers: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    others: tuple[str, ...] = ()

    def look(self) -> None:
        """Note the page, and its accessibility barriers."""
        self.seen.append(self.page.url)
        if self.checks and self.page.url.startswith((self.url, *self.others)):
            self.barriers += find_barriers(self.page) + find_small_targets(self.page)

    def find_return(self, url: str) -> str:
        """Return the last address at ``url`` to which another site led back."""
        asked = [
            event["params"]["request"]["url"]
            for event in self.page.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        marks = ("code=", "confirmation=")
        return next(
            each
            for each in reversed(asked)
            if each.startswith(url) and any(mark in each for mark in marks)
        )

    # === ONE STEP === #

    def open(self, path: str) -> None:
        self.page.open(f"{self.url}{path}")
        self.look()

    def press(self, selector: str) -> None:
        """Press a button or follow a link, by mouse or by keyboard alone."""
        if self.is_by_keyboard:
            self.page.tab_to(selector)
            self.page.press_enter()
        else:
            self.page.click(selector)
        self.look()

    def fill_in(self, selector: str, text: str) -> None:
        if self.is_by_keyboard:
            self.page.tab_to(selector)
            self.page.call("Input.insertText", text=text)
        else:
            self.page.type(selector, text)

    def wait_for(self, selector: str) -> None:
        """Wait for the page with this element: the provider redirects by itself."""
        end = time.monotonic() + 10
        while not self.page.has(selector):
            assert time.monotonic() < end, f"{self.page.url}:\n{self.page.text}"
            time.sleep(0.05)

    # === THE WHOLE PATH === #

    def authenticate(self) -> None:
        """Prove one's identity to the ID provider, with the code."""
        self.wait_for("#id")
        self.page.type("#id", self.facts["individual_id"])
        self.page.type("#otp", self.facts["otp"])
        self.page.click("section[aria-labelledby='by-code'] button")
        self.look()

    def sign_in(self) -> None:
        self.open("/spar")
        self.press("form[action^='/spar/login'] button")
        self.allow_visit()
        self.authenticate()
        assert self.page.url == f"{self.url}/spar/address", self.page.url

    def allow_visit(self) -> None:
        """Press the button of the mapper's own page, where it asks for a visit."""
        if self.page.url.startswith(self.others):
            self.press("form[action$='/login'] button")

    def press_yes(self) -> None:
        """Type the digits of the page that reviews a change, and press its button."""
        self.type_digits()
        self.press("form[action$='/login'] button")

    def type_digits(self) -> None:
        """Type the three digits that stand in the middle of what one confirms."""
        digits = self.page.get_text(DIGITS)
        self.page.wait_until_visible(FIELD)
        self.fill_in(FIELD, digits)

    def choose_account(self, number: str, words: str = "harbour") -> None:
        """Go from one's own page through all questions to the review."""
        self.press("form[action='/spar/change'] button")
        self.answer_questions(number, words)

    def answer_questions(self, number: str, words: str = "harbour") -> None:
        """Enter a bank account with this number at the first provider found."""
        self.press(".choices button")
        self.fill_in("#q", words)
        self.press("form[role='search'] button")
        self.press(".choices button")
        self.press(".choices button")
        self.fill_in("#account_number", number)
        self.fill_in("#account_number_again", number)
        self.press("main form button.main")

    def confirm(self) -> None:
        """Confirm at the review, authenticate at the provider; end on the outcome."""
        if self.page.has(FIELD):
            self.type_digits()
        self.press("main .main")
        self.allow_visit()
        self.authenticate()

    def remove_account(self) -> None:
        self.open("/spar/address")
        self.press("form[action='/spar/remove'] button")
        self.confirm()

    def sign_out(self) -> None:
        self.press("form[action='/spar/logout'] button")


def build_newcomer(provider: ProviderAtWork, number: int) -> dict:
    """Return one of the people whom the registry does not have yet."""
    return provider.newcomers[number % len(provider.newcomers)]
