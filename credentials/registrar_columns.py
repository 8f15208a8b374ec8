"""Which column of a registrar's file is which, in the words that offices use."""

import re
import unicodedata

from credentials.registrar_table import CsvMalformed

REQUIRED = ("family_name", "given_name", "completed_on")
"""Without these a file is refused, and without their text a row is."""

_ALIASES = {
    "learner_ref": (
        "LRN, Learner Reference Number, Learner Reference, Learner Number, Learner ID,"
        "Student Number, Student No, Student ID, Numero ng Mag-aaral"
    ),
    "family_name": "Last Name, Surname, Apelyido",
    "given_name": "First Name, Given Names, Pangalan, Unang Pangalan",
    "middle_name": "Middle Name, Mother's Maiden Name, Gitnang Pangalan, Gitnang Apelyido",
    "name_suffix": "Suffix, Extension Name, Name Extension, Ext Name, Hulapi",
    "display_name": "Name on Certificate, Pangalan sa Sertipiko",
    "email": "E-mail, Email Address, E-mail Address",
    "phone": "Phone Number, Mobile, Mobile Number, Contact Number, Numero ng Telepono",
    "did": "Wallet DID, Learner DID",
    "birth_date": "Birthdate, Date of Birth, Birthday, Petsa ng Kapanganakan, Kaarawan",
    "started_on": "Date Started, Start Date, Petsa ng Simula, Petsa ng Pagsisimula",
    "completed_on": (
        "Date Completed, Completion Date, Date of Completion, Petsa ng Pagtatapos"
    ),
    "awarded_on": "Date Awarded, Award Date, Petsa ng Paggawad",
    "result": "Grade, Final Grade, Remarks, Marka, Grado, Resulta",
    "rating_self": "Self Rating, Self-Rating, Sariling Marka",
    "rating_teacher": "Teacher Rating, Teacher's Rating, Marka ng Guro",
    "credits": "Units, Credit Units, Yunit",
    "hours": "Number of Hours, Oras",
    "route": "Award Route",
    "language": "Wika",
    "division": "Schools Division, Schools Division Office, SDO, Dibisyon, Sangay",
    "site": "School, School Name, Learning Center, Community Learning Center, Paaralan",
    "consent_on": "Date of Consent, Consent Date, Petsa ng Pahintulot",
    "evidence_note": "Evidence, Evidence Notes, Ebidensiya",
}

PRIVATE = frozenset({"learner_ref", "email", "phone", "birth_date", "consent_on"})
"""Columns that no template may write into a credential."""

NAMES = frozenset(
    {"family_name", "given_name", "middle_name", "name_suffix", "display_name"}
)
DATES = ("birth_date", "started_on", "completed_on", "awarded_on", "consent_on")

_WORDS = re.compile(r"[\W_]+")
_RATING = re.compile(r"rating_[a-z]{1,20}(?:_[1-9]\d?)?", re.ASCII)
_COMMUNITY = re.compile(
    r"(?:community (?:rating|rater)|marka ng komunidad) ([1-9]\d?)", re.ASCII
)


def _spelling(header: str) -> str:
    """Fold case, marks and spacing, so that `Last_Name` and ` LAST NAME.` are one."""
    text = unicodedata.normalize("NFC", header).casefold().replace("'", "")
    return _WORDS.sub(" ", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "")).strip()


_CANONICAL = {
    _spelling(alias): column
    for column, aliases in _ALIASES.items()
    for alias in (column, *aliases.split(","))
}


class CsvColumnMissing(CsvMalformed):
    """No column is known to hold something that every credential needs."""

    code = "csv-column-missing"
    hint = "the first row must hold the column names: remove title rows above it"


class CsvColumnRepeated(CsvMalformed):
    """Two columns claim to be the same one."""

    code = "csv-column-repeated"
    hint = "rename or remove one of the two"


def is_column(name: str) -> bool:
    """Return whether `name` is the canonical name of a column."""
    return name in _ALIASES or _RATING.fullmatch(name) is not None


def canonical_column(header: str) -> str | None:
    """Return the canonical name for a header cell, or None if it is not known."""
    spelling = _spelling(header)
    community = _COMMUNITY.fullmatch(spelling)
    if community:
        return f"rating_community_{community[1]}"
    name = spelling.replace(" ", "_")
    return _CANONICAL.get(spelling) or (name if is_column(name) else None)


def map_header(header: tuple[str, ...]) -> dict[str, int]:
    """Return the position of each known column.

    Raises:
        CsvColumnMissing: A required column is not there.
        CsvColumnRepeated: Two headers mean the same column.
    """
    positions: dict[str, int] = {}
    for position, cell in enumerate(header):
        column = canonical_column(cell)
        if column is None:
            continue
        if column in positions:
            first = header[positions[column]]
            raise CsvColumnRepeated(
                f'found "{first[:40]}" and "{cell[:40]}", want one column for {column}'
            )
        positions[column] = position
    missing = [column for column in REQUIRED if column not in positions]
    if missing:
        found = ", ".join(f'"{cell[:40]}"' for cell in header[:20]) or "no header"
        raise CsvColumnMissing(f"found {found}, want also {', '.join(missing)}")
    return positions
