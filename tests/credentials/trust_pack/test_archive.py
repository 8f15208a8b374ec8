"""The archive of a pack: one spelling, and nothing that could do harm."""

import io
import random
import stat
import struct
import zipfile

import pytest

from credentials.trust_pack.archive import (
    MAX_FILES,
    MAX_PACK_BYTES,
    PackEntryRefused,
    PackMalformed,
    PackTooLarge,
    read_archive,
    write_archive,
)

FILES = {"manifest.json": b"{}", "status/ab.json": b"[" * 100, "a.json": b""}


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes], packed: bool = False) -> bytes:
    """Return an archive as another program writes it."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return file.getvalue()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_another_program_reads_what_is_written() -> None:
    with zipfile.ZipFile(io.BytesIO(write_archive(FILES))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert archive.namelist() == sorted(FILES)


def test_what_is_written_is_read_again() -> None:
    assert read_archive(write_archive(FILES)) == FILES
    assert read_archive(write_archive({})) == {}


def test_equal_files_are_equal_bytes_in_whatever_order() -> None:
    assert write_archive(dict(reversed(FILES.items()))) == write_archive(FILES)


def test_no_bit_of_the_archive_can_be_changed() -> None:
    raw = write_archive(FILES)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PackMalformed):
            read_archive(bytes(changed))


def test_no_byte_can_be_missing_or_too_much() -> None:
    raw = write_archive(FILES)
    for size in range(len(raw)):
        with pytest.raises(PackMalformed):
            read_archive(raw[:size])
    for changed in (raw + b"\0", b"\0" + raw, raw + raw):
        with pytest.raises(PackMalformed):
            read_archive(changed)


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "a\\b",
        "C:a",
        "A.json",
        ".a",
        "a/b/c",
        "a\0b",
        "",
        "dir/",
        "x" * 121,
        "naïve.json",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    info = special("x", stat.S_IFREG | 0o644)
    info.filename = name
    with pytest.raises(PackEntryRefused):
        read_archive(zipped((info, b"x")))
    with pytest.raises(PackEntryRefused):
        write_archive({name: b""})


@pytest.mark.parametrize(
    "mode",
    [stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755, stat.S_IFCHR | 0o600, stat.S_IFIFO, 0],
    ids=["link", "folder", "device", "pipe", "none"],
)
def test_what_is_no_plain_file_is_refused(mode: int) -> None:
    with pytest.raises(PackEntryRefused, match="mode"):
        read_archive(zipped((special("a", mode), b"/etc/passwd")))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    info = special("a", stat.S_IFREG | 0o644)
    info.compress_type = zipfile.ZIP_DEFLATED
    bomb = zipped((info, bytes(10 << 20)))
    assert len(bomb) < 20_000
    with pytest.raises(PackEntryRefused, match="packed by method 8"):
        read_archive(bomb)


def test_files_that_lie_over_each_other_are_refused() -> None:
    """Each entry of the index could name the same megabyte."""
    raw = write_archive({f"{n:03}": b"x" * 1_000 for n in range(100)})
    end = struct.unpack("<4s4H2IH", raw[-22:])
    index = bytearray(raw[end[6] : -22])
    for place in range(0, len(index), 49):
        index[place + 42 : place + 46] = bytes(4)
    small = raw[:1_033] + bytes(index)
    small += struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 100, 100, len(index), 1_033, 0)
    with pytest.raises(PackTooLarge, match="of files in an archive of"):
        read_archive(small)


def test_a_name_that_is_there_twice_is_refused() -> None:
    info = special("a", stat.S_IFREG | 0o644)
    with pytest.warns(UserWarning, match="Duplicate"):
        raw = zipped((info, b"1"), (special("a", stat.S_IFREG | 0o644), b"2"))
    with pytest.raises(PackEntryRefused, match="twice"):
        read_archive(raw)


def test_other_times_and_comments_are_another_spelling() -> None:
    info = special("a", stat.S_IFREG | 0o644)
    info.date_time = (2026, 1, 1, 0, 0, 0)
    with pytest.raises(PackMalformed, match="another spelling"):
        read_archive(zipped((info, b"1")))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"hello"
    with pytest.raises(PackMalformed, match="without a comment"):
        read_archive(file.getvalue())


def test_too_many_files_are_refused() -> None:
    with pytest.raises(PackTooLarge, match="files"):
        write_archive({f"{n}": b"" for n in range(MAX_FILES + 1)})
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, MAX_FILES + 1, 0, 0, 0)
    with pytest.raises(PackTooLarge, match="files"):
        read_archive(end)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PackTooLarge, match="bytes"):
        read_archive(bytes(MAX_PACK_BYTES + 1))


def test_noise_is_refused() -> None:
    source = random.Random(8)
    for _ in range(300):
        noise = source.randbytes(source.randrange(1, 200))
        with pytest.raises(PackMalformed):
            read_archive(noise + write_archive({})[-22:])
