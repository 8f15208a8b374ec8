"""What is found in a registrar's file, in a sentence for whoever mends the file.

The exact words, with the values that were found, stand beside it in English: they are the
same as on the command line and in the interface.
"""

from collections.abc import Mapping
from typing import Final

from primitives.wording.words import phrase

OTHER: Final = phrase("See the exact words beside this.")
"""For a code that a file was checked with by another release."""

ROW_FINDINGS: Final[Mapping[str, str]] = {
    # The file
    "bom-removed": phrase("An invisible mark before the first row was left out."),
    "csv-delimiter": phrase(
        "The cells are not separated by commas; they were read all the same."
    ),
    "empty-rows-skipped": phrase("Some rows are empty, and were left out."),
    "no-learner-ref": phrase(
        "There is no column with a learner number, so that names and dates tell rows apart."
    ),
    "column-unknown": phrase("This column is not known, and is not read."),
    "row-has-extra-cells": phrase("The row has more cells than there are columns."),
    "xlsx-sheets-not-read": phrase("The workbook has other sheets, which are not read."),
    "xlsx-column-hidden": phrase("A hidden column is read as well."),
    "xlsx-row-hidden": phrase("The row is hidden or filtered out. Show every row."),
    "xlsx-cells-merged": phrase("The row has merged cells. Split them."),
    "xlsx-formula-not-calculated": phrase("A formula has no result yet."),
    "xlsx-error-value": phrase("The cell shows an error of the spreadsheet program."),
    "xlsx-date-unclear": phrase("Whether the cell holds a date, and which, is not clear."),
    # A cell
    "required-cell-empty": phrase("Something that is needed is missing."),
    "white-space-removed": phrase("Spaces too many were left out."),
    "text-normalised": phrase("Letters and their marks stood apart, and were joined."),
    "text-double-encoded": phrase(
        "Letters such as ñ were damaged when the file was saved."
    ),
    "text-lost-letter": phrase("A letter was lost when the file was saved."),
    "text-control-character": phrase(
        "It has a character that nobody can see. Type it again."
    ),
    "formula-injection": phrase("It begins like a formula of a spreadsheet program."),
    "number-broken-by-spreadsheet": phrase(
        "The spreadsheet program has changed the number, such as by leaving zeros out."
    ),
    "suffix-in-name": phrase("The name seems to have a suffix such as Jr. in it."),
    "name-all-capitals": phrase("The name is all in capitals, and will be printed so."),
    "no-email": phrase("There is no e-mail address: the credential has to be handed over."),
    "email-malformed": phrase("This is no e-mail address."),
    "email-shared": phrase("Another learner has the same e-mail address."),
    "did-malformed": phrase("This is no wallet's identifier (DID)."),
    "not-a-pass": phrase("This result is no pass: nothing is issued for it."),
    # Days
    "date-not-iso": phrase("The date is not written as year-month-day."),
    "date-in-future": phrase("The date lies ahead."),
    "dates-out-of-order": phrase("Something ends before it begins."),
    "award-after-issue": phrase("The award is dated later than today."),
    # Learners
    "duplicate-of-row": phrase("The same learner stands in another row."),
    "same-name-as-row": phrase("Another row has the same name. Is it one person?"),
    "learner-number-shown": phrase(
        "The credential would show the learner's number. Leave the number out of the text."
    ),
    # Ratings
    "rating-not-on-scale": phrase("The rating is none of the scale."),
    "ratings-too-few": phrase("There are too few ratings."),
    "needs-moderation": phrase("The ratings lie too far apart: a moderator has to decide."),
    "below-required-level": phrase("The level is below the one that is required."),
}
"""The sentence of each code that a finding may have; a test compares."""
