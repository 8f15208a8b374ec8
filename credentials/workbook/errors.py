"""Why a workbook cannot be read as a whole."""

from primitives.errors import Malformed


class XlsxMalformed(Malformed):
    """The bytes are not one workbook as ECMA-376 has it."""

    code = "xlsx-malformed"
    hint = 'open it in the spreadsheet program and save it anew, or as "CSV UTF-8"'


class XlsxTooLarge(XlsxMalformed):
    """Over a limit: bytes when unpacked, rows, columns, cells, characters."""

    code = "xlsx-too-large"
    hint = "split it, for example by division office; delete rows and sheets of no use"


class XlsxMacros(XlsxMalformed):
    """A workbook with programs in it (.xlsm)."""

    code = "xlsx-macros"
    hint = "save it as .xlsx, which leaves the programs out"


class XlsxEncrypted(XlsxMalformed):
    """A workbook that opens with a password."""

    code = "xlsx-encrypted"
    hint = "remove the password in the spreadsheet program and save it again"


class XlsxOtherFormat(XlsxMalformed):
    """A spreadsheet of another format: .xls, .xlsb, .ods."""

    code = "xlsx-other-format"
    hint = 'save it as .xlsx, or as "CSV UTF-8"'


class XlsxSheetUnknown(XlsxMalformed):
    """There is no sheet of that name, or none that is shown."""

    code = "xlsx-sheet-unknown"
    hint = "name one of the sheets that the message lists, or none for the first"
