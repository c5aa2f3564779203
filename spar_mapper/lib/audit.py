"""The findings of the integrity check.

Every finding names one row and one problem; a reader who knows no cryptography can act
on it.
"""

#: A table, the id of a row in it, and what is wrong.
Finding = tuple[str, int, str]

ID_DIGEST = "the digest is not that of the ID: it would be found under another ID"
ID_FORM = "the ID is not as the form has it that it is said to be in"
FA_DOES_NOT_OPEN = "the address does not open: it was moved or altered"
FA_DIGEST = "the digest is not that of the address"
ROW_MISSING = "not all of its addresses and IDs are there"
NO_EVENTS = "there is no event for it"
LAST_EVENT = "its last event is missing, or is not the one it names"
NOT_AS_RECORDED = "it is not what its event says: it or the history was altered"
PERIOD_MISSING = "the period that began with it is missing"
PERIOD_OTHER = "the period that it names is not its present one"
EVENT_GAP = "an event before it is missing"
EVENT_ALTERED = "the event was altered"
EVENT_CHAIN = "the event does not follow the one before it"
PAST_ALTERED = "what was before it is not what it says: rows or history were altered"
SUBJECT_REMOVED = "the person was removed"
NOTICE_REMOVED = "its notice was removed"
CHANGE_ENDED = "the change waits, but the history says that it has ended"
CHANGE_OTHER = "by the history another change waits, or this one with other words"
CHANGE_HIDDEN = "a change of it waits by the history, but no row does"
CHANGE_DOES_NOT_OPEN = "the change does not open: it or its terms were altered"
LINK_ALTERED = "its link was altered, or is that of another notice"
OFFICE_OTHER = "the person's office is not what the history says"
OBJECTION_OTHER = "its open objections are not those of its history"
FORMS_REMOVED = "the forms of IDs were removed"
FORECAST_ALTERED = "what a dry run has noted of an ID was altered, or put there"
FORECASTS_REMOVED = "notes of a dry run were removed"
FORECASTS_ALONE = "notes of a dry run count, but it is not there, or was altered"
CASE_MISSING = "an ID is in a form of before, and no case says why"
CASE_OTHER = "the ID of the case does not open, or is not that of its digest"
