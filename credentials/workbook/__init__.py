"""Workbooks (.xlsx, ECMA-376 part 1): the text of one sheet, and what it leaves out."""
