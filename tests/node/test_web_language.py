import pytest

from node.web.language import choose_language
from primitives.wording.words import Language

EN, FIL = Language.ENGLISH, Language.FILIPINO


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", EN),
        ("fil", FIL),
        ("fil-PH,fil;q=0.9,en-US;q=0.8,en;q=0.7", FIL),
        ("tl;q=0.9, ceb;q=0.95, en;q=0.5", FIL),
        ("en-PH, fil;q=0.9", EN),
        ("de, fr;q=0.9", EN),
        ("fil;q=0, en;q=0.1", EN),
        ("FIL-ph", FIL),
        ("fil;q=nonsense, en", EN),
        ("fil;q=0.3, en;q=0.2", FIL),
        (",;q=1,*," * 10_000 + "fil", EN),
    ],
)
def test_takes_the_language_that_is_preferred(accepted: str, language: Language) -> None:
    assert choose_language(None, None, accepted) is language


def test_what_was_asked_for_beats_what_was_kept_beats_what_is_accepted() -> None:
    assert choose_language("en", "fil", "fil") is EN
    assert choose_language(None, "fil", "en") is FIL
    assert choose_language("xx", "yy", "fil") is FIL
