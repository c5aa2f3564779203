"""The findings of the integrity check.

Every finding names one row and one problem; a reader who knows no cryptography can act
on it.
"""

#: A table, the id of a row in it, and what is wrong.
Finding = tuple[str, int, str]

ID_DIGEST = "the digest does not match the ID: another ID would find this row"
ID_FORM = "the ID is not in the form that its row names"
FA_DOES_NOT_OPEN = "the address cannot be decrypted: the row was moved or altered"
FA_DIGEST = "the digest does not match the address"
ROW_MISSING = "some of the person's addresses or IDs are missing"
NO_EVENTS = "the history has no event for this row"
LAST_EVENT = "the last event is missing or is not the one that the row names"
NOT_AS_RECORDED = "the row differs from its event: the row or the history was altered"
PERIOD_MISSING = "the period that began with this event is missing"
PERIOD_OTHER = "the row names a period that is not the current one"
EVENT_GAP = "an earlier event is missing"
EVENT_ALTERED = "the event was altered"
EVENT_CHAIN = "the event does not follow the previous one"
PAST_ALTERED = "the previous state differs from what this event says about it"
SUBJECT_REMOVED = "the person was deleted"
NOTICE_REMOVED = "the notice of this event was deleted"
CHANGE_ENDED = "the change is waiting, but the history says that it has ended"
CHANGE_OTHER = "the waiting change differs from the one in the history"
CHANGE_HIDDEN = "the history says that a change is waiting, but its row is missing"
CHANGE_DOES_NOT_OPEN = "the change cannot be decrypted: the row was altered"
LINK_ALTERED = "the link was altered or belongs to another notice"
OFFICE_OTHER = "the person's office differs from the one in the history"
OBJECTION_OTHER = "the open objections differ from those in the history"
FORMS_REMOVED = "the forms of IDs were deleted"
FORECAST_ALTERED = "a result of a dry run was altered or inserted"
FORECASTS_REMOVED = "results of a dry run were deleted"
FORECASTS_ALONE = "a dry run was deleted or altered, but its results remain"
CASE_MISSING = "the ID is in an earlier form, and no case explains why"
CASE_OTHER = "the ID of the case cannot be decrypted or does not match its digest"
KEY_ALTERED = "the key of an issuer was altered, or added outside SPAR"
KEY_GAP = "a key of an issuer is missing before this one"
KEYS_OLDER = "the archive of issuers' keys is older than the checkpoint file"
PROOF_MISSING = "the owner's proof of this event is missing"
PROOF_DOES_NOT_OPEN = "the owner's proof cannot be decrypted: the row was altered"
PROOF_OTHER = "the owner's proof is not the one that its event names"
PROOF_ERASED = "the owner's proof was destroyed, but the history has no erasure"
#: By the part of a proof: it was altered, or proves something else.
PROOF_PARTS = {
    "id_token": "the ID token of the owner's proof was altered or does not verify",
    "userinfo": "the userinfo of the owner's proof was altered or does not verify",
    "salt": "the salt of the owner's proof was altered",
    "event": "the change in the owner's proof differs from what was confirmed",
    "page": "the issuer or the time in the owner's proof was altered",
}
