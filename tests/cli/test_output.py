import json
import unicodedata

import click
import pytest
from click.testing import CliRunner

from cli.output import Exit, exit_code, print_json, print_table, say, worst
from primitives.errors import Malformed, Misconfigured, Rejected, Undetermined
from primitives.safe_text import safe_text

HOSTILE = [
    "\x1b[2J",  # clears the screen
    "\x9b31m",  # the same in one C1 byte
    "\x07",
    "\x7f",
    "\r",
    "\u202e",  # right-to-left override
    "\u2066",
    "\u200f",
    "\u2028",
    "\udcff",  # what a file name that is not UTF-8 holds
    "\U000e0041",  # an invisible tag
]


def printed(*calls: click.Command, charset: str = "utf-8") -> str:
    result = CliRunner(charset=charset).invoke(calls[0], catch_exceptions=False)
    return result.stdout


def saying(text: str) -> click.Command:
    return click.Command("say", callback=lambda: say(text))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_control_or_format_character_reaches_the_terminal(text: str) -> None:
    shown = printed(saying(f"a{text}z"))
    assert shown.startswith("a\\")
    assert shown.endswith("z\n")
    kinds = {unicodedata.category(letter) for letter in shown.removesuffix("\n")}
    assert not {kind for kind in kinds if kind.startswith("C") or kind in ("Zl", "Zp")}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_json_escapes_them_and_still_means_the_same(text: str) -> None:
    command = click.Command("json", callback=lambda: print_json({f"k{text}": text}))
    shown = printed(command)
    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown) == {f"k{text}": text}


def test_names_are_shown_as_they_are_written() -> None:
    assert printed(saying("Nuñez, Łukasz, 李, ᜑᜈᜓ")) == "Nuñez, Łukasz, 李, ᜑᜈᜓ\n"


def test_names_are_spelled_out_where_the_terminal_has_no_letters_for_them() -> None:
    assert printed(saying("“Nuñez” 李"), charset="ascii") == '"Nu\\xf1ez" \\u674e\n'


def test_json_is_read_back_from_a_terminal_without_those_letters() -> None:
    command = click.Command("json", callback=lambda: print_json({"name": "Nuñez 😀"}))
    shown = printed(command, charset="ascii")
    assert shown.isascii()
    assert json.loads(shown) == {"name": "Nuñez 😀"}


def test_a_space_of_another_kind_becomes_a_space() -> None:
    assert safe_text("Dela\u00a0Cruz") == "Dela Cruz"


def test_a_table_is_aligned_and_each_row_is_one_line() -> None:
    command = click.Command(
        "table", callback=lambda: print_table(("a", "bb"), [("long\nname", 1), ("x", 22)])
    )
    lines = ["a           bb", "long\\nname  1", "x           22"]
    assert printed(command).splitlines() == lines


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("x"), 1),
        (Malformed("x"), 2),
        (Undetermined("x"), 3),
        (Misconfigured("x"), 4),
    ],
)
def test_each_family_of_errors_has_its_exit_code(error: Malformed, code: int) -> None:
    assert exit_code(error) == code


def test_of_several_files_the_worst_decides_in_the_order_4_1_2_3_0() -> None:
    codes = [Exit.VALID]
    for more, expected in ((3, 3), (2, 2), (1, 1), (4, 4)):
        codes.append(Exit(more))
        assert worst(codes) == expected
