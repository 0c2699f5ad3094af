"""The person: its public block and its private block, in the key order of a real answer (data/README.md)."""

from __future__ import annotations

from deploy.sandbox.model import COMMON, COMPANY_ID, Field, Kind, Resource, Use, computed, optional
from deploy.sandbox.rights import Area


def _private(name: str, kind: Kind = Kind.TEXT, use: Use = Use.OPTIONAL) -> Field:
    return Field(name=name, kind=kind, use=use, private=True)


def _guarded(name: str, kind: Kind = Kind.TEXT, *, private: bool = False) -> Field:
    return Field(name=name, kind=kind, guarded=True, private=private)


_PUBLIC = (
    COMPANY_ID,
    computed("status"),
    computed("demo", Kind.BOOL),
    optional("source"),
    optional("sourceId"),
    computed("isWorkEmailHidden", Kind.BOOL),
    Field(name="firstName", kind=Kind.TEXT, use=Use.REQUIRED),
    optional("preferredName"),
    Field(name="lastName", kind=Kind.TEXT, use=Use.REQUIRED),
    _guarded("email"),
    computed("shortBirthday"),
    computed("profilePhotoId", Kind.ID),
    computed("profilePhoto", Kind.OBJECT),
    optional("phoneNumber"),
    computed("formattedPhoneNumber"),
    optional("pronouns"),
    _guarded("contractType"),
    Field(name="employmentStartDate", kind=Kind.DATE, use=Use.REQUIRED, guarded=True),
    _guarded("firstWorkingDay", Kind.DATE),
    _guarded("workingDays", Kind.OBJECTS),
    computed("directReports", Kind.TEXTS),
    _guarded("payrollProvider"),
    # An id or the word "remote", so `refers` cannot say it.
    Field(name="locationId", kind=Kind.TEXT, use=Use.REQUIRED, guarded=True),
    optional("remoteCity"),
    optional("remoteRegionCode"),
    optional("remoteCountryCode"),
    computed("remoteCountry"),
    optional("remoteTimezone"),
    _guarded("teams", Kind.OBJECTS),
    optional("timezone"),
    optional("bio"),
    optional("linkedIn"),
    optional("twitter"),
    optional("github"),
    optional("slack"),
    optional("spokenLanguages", Kind.TEXTS),
    _guarded("publicHolidayCalendarId"),
    optional("isBirthdayHidden", Kind.BOOL),
    Field(name="spaceId", kind=Kind.ID, use=Use.COMPUTED, hidden=True),
)

_PRIVATE = (
    _private("middleName"),
    _private("personalEmail"),
    _private("personalPhoneNumber"),
    _private("gender"),
    _private("birthday", Kind.DATE),
    _private("nationality"),
    _private("nationalities", Kind.TEXTS),
    _private("dietaryPreference"),
    _private("foodAllergies", Kind.TEXTS),
    _private("address"),
    _private("city"),
    _private("state"),
    _private("postcode"),
    _private("countryCode"),
    _guarded("employmentEndDate", Kind.DATE, private=True),
    _guarded("lastWorkingDay", Kind.DATE, private=True),
    _guarded("probationEndDate", Kind.DATE, private=True),
    Field(
        name="leavingReason",
        kind=Kind.TEXT,
        private=True,
        guarded=True,
        values=("dismissed", "resigned", "redundancy", "contractEnded", "other"),
    ),
    _guarded("leavingNote", private=True),
    _guarded("leavingFileId", Kind.ID, private=True),
    _guarded("employeeId", private=True),
    _private("seenDocumentsAt", Kind.STAMP, Use.COMPUTED),
    _private("country", use=Use.COMPUTED),
    _private("formattedPersonalPhoneNumber", use=Use.COMPUTED),
    _guarded("taxId", private=True),
    _guarded("taxCode", private=True),
    _guarded("role", private=True),
    _private("isWelcomed", Kind.BOOL, Use.COMPUTED),
    _private("isSSO", Kind.BOOL, Use.COMPUTED),
    _private("invitedBy", Kind.ID, Use.COMPUTED),
    _private("offboardedAt", Kind.STAMP, Use.COMPUTED),
    _private("offboardedBy", Kind.ID, Use.COMPUTED),
    _private("isVerified", Kind.BOOL, Use.COMPUTED),
    _private("invitedAt", Kind.STAMP, Use.COMPUTED),
    _guarded("turnoverImpact", private=True),
)

# A secret: on the caller's own row only, whatever the scopes; so it is not in the table of private fields.
OWN_ROW_ONLY = "calendarFeedToken"

RESOURCES = (Resource(path="people", area=Area.PEOPLE, fields=(*COMMON, *_PUBLIC, *_PRIVATE)),)
