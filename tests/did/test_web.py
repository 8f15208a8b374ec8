import pytest

from did.identifier import Did
from did.web import DidWeb, parse_did_web
from primitives.errors import Malformed

A_LABEL = "a" * 63


@pytest.mark.parametrize(
    ("did", "url"),
    [
        # From https://w3c-ccg.github.io/did-method-web/, section 2.5.2 and examples.
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        (
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
        ("did:web:localhost%3A8460", "https://localhost:8460/.well-known/did.json"),
        ("did:web:localhost", "https://localhost/.well-known/did.json"),
        ("did:web:example.com%3A65535", "https://example.com:65535/.well-known/did.json"),
        ("did:web:example.com%3A1", "https://example.com:1/.well-known/did.json"),
        ("did:web:1.example", "https://1.example/.well-known/did.json"),
        ("did:web:0x7f.example", "https://0x7f.example/.well-known/did.json"),
        (
            "did:web:xn--bcher-kva.example",
            "https://xn--bcher-kva.example/.well-known/did.json",
        ),
        ("did:web:example.com:A_b-c.d:...", "https://example.com/A_b-c.d/.../did.json"),
        (
            f"did:web:{A_LABEL}.{A_LABEL}.{A_LABEL}.{'b' * 61}",
            f"https://{A_LABEL}.{A_LABEL}.{A_LABEL}.{'b' * 61}/.well-known/did.json",
        ),
    ],
)
def test_a_did_and_its_url_lead_to_each_other(did: str, url: str) -> None:
    web = parse_did_web(did)
    assert web.document_url() == url
    assert str(web) == did
    assert DidWeb.for_document_url(url) == web
    assert str(Did.parse(did)) == did


# Named as in the corpus of hostile inputs.
REFUSED = [
    ("D01", "127.0.0.1", "did-ip-literal"),
    ("D01", "8.8.8.8", "did-ip-literal"),
    ("D01", "127.0.0.1%3A8460", "did-ip-literal"),
    ("D01", "127.0.0.1:path", "did-ip-literal"),
    ("D02", "2130706433", "did-host-invalid"),
    ("D02", "0x7f000001", "did-host-invalid"),
    ("D02", "0x7f.0.0.0x1", "did-host-invalid"),
    ("D02", "017700000001", "did-host-invalid"),
    ("D02", "0177.0.0.1", "did-host-invalid"),
    ("D02", "127.1", "did-host-invalid"),
    ("D02", "127.0.0.0x1", "did-host-invalid"),
    ("D02", "example.0x", "did-host-invalid"),
    ("D02", "127.0.0.1.", "did-host-invalid"),
    ("D03", "\uff11\uff12\uff17.0.0.1", "did-host-invalid"),
    ("D03", "①②⑦.0.0.1", "did-host-invalid"),
    ("D03", "example.ⓒom", "did-host-invalid"),
    ("D04", "[::1]", "did-ip-literal"),
    ("D04", "%5B%3A%3A1%5D", "did-ip-literal"),
    ("D04", "::1", "did-ip-literal"),
    ("D04", "2001%3Adb8%3A%3A1", "did-ip-literal"),
    ("D04", "::ffff:127.0.0.1", "did-ip-literal"),
    ("D04", "[::ffff:127.0.0.1]%3A80", "did-ip-literal"),
    ("D06", "good.example%2F..%2Fx", "did-path-invalid"),
    ("D06", "good.example%5Cx", "did-path-invalid"),
    ("D06", "good.example%252Fx", "did-path-invalid"),
    ("D06", "good.example%40evil.example", "did-path-invalid"),
    ("D06", "good.example:a%2Fb", "did-path-invalid"),
    ("D06", "good.example:a%2fb", "did-path-invalid"),
    ("D06", "good.example:..%2Fx", "did-path-invalid"),
    ("D06", "good.example:%2E%2E", "did-path-invalid"),
    ("D06", "good.example:a%5Cb", "did-path-invalid"),
    ("D06", "good.example:a%252Fb", "did-path-invalid"),
    ("D06", "good.example:a%3Ab", "did-path-invalid"),
    ("D06", "good.example:a%40b", "did-path-invalid"),
    ("D06", "good.example:a%00", "did-path-invalid"),
    ("D06", "good.example:..:x", "did-path-invalid"),
    ("D06", "good.example:.", "did-path-invalid"),
    ("D06", "good.example::x", "did-path-invalid"),
    ("D06", "good.example:", "did-path-invalid"),
    ("D06", "good.example/x", "did-path-invalid"),
    ("D06", "good.example:a/b", "did-path-invalid"),
    ("D06", "good.example:ñ", "did-path-invalid"),
    ("D07", "good.example%3Fx", "did-path-invalid"),
    ("D07", "good.example%23x", "did-path-invalid"),
    ("D07", "good.example?x", "did-path-invalid"),
    ("D07", "good.example#x", "did-path-invalid"),
    ("D07", "good.example:a%3Fx", "did-path-invalid"),
    ("D07", "good.example:a%23x", "did-path-invalid"),
    ("D07", "good.example:a#x", "did-path-invalid"),
    ("D08", "good.example%3A0", "did-port-invalid"),
    ("D08", "good.example%3A99999", "did-port-invalid"),
    ("D08", "good.example%3A65536", "did-port-invalid"),
    ("D08", "good.example%3A0443", "did-port-invalid"),
    ("D08", "good.example%3A", "did-port-invalid"),
    ("D08", "good.example%3A+443", "did-port-invalid"),
    ("D08", "good.example%3A0x1bb", "did-port-invalid"),
    ("D08", "good.example%3A٤٤٣", "did-port-invalid"),
    ("D08", "good.example%3A443%3A443", "did-port-invalid"),
    ("D08", "good.example%3a443", "did-port-invalid"),
    ("D09", "Good.example", "did-host-invalid"),
    ("D09", "LOCALHOST", "did-host-invalid"),
    ("D09", "good.example.", "did-host-invalid"),
    ("D09", "localhost.", "did-host-invalid"),
    ("D09", "good_host.example", "did-host-invalid"),
    ("D09", "good..example", "did-host-invalid"),
    ("D09", ".example", "did-host-invalid"),
    ("D09", "-good.example", "did-host-invalid"),
    ("D09", "good-.example", "did-host-invalid"),
    ("D09", "a" * 64 + ".example", "did-host-invalid"),
    ("D09", f"{A_LABEL}.{A_LABEL}.{A_LABEL}.{'b' * 62}", "did-host-invalid"),
    ("D09", "intranet", "did-host-invalid"),
    ("D09", "", "did-host-invalid"),
    ("D09", "good.example\n", "did-host-invalid"),
    ("D09", "good example.edu", "did-host-invalid"),
    ("D09", "user@good.example", "did-host-invalid"),
    ("D10", "ехample.com", "did-idn-not-ascii"),  # noqa: RUF001 - a Cyrillic look-alike
    ("D10", "bücher.example", "did-idn-not-ascii"),
    ("D30", "a" * 50_000, "did-too-long"),
]


@pytest.mark.parametrize(
    ("rest", "code"),
    [case[1:] for case in REFUSED],
    ids=[f"{case[0]}-{case[1][:24]!a}" for case in REFUSED],
)
def test_refuses(rest: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_did_web("did:web:" + rest)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["did:key:z6Mk", "web:example.com", "DID:WEB:example.com"])
def test_refuses_another_method(text: str) -> None:
    with pytest.raises(Malformed, match="want did:web") as caught:
        parse_did_web(text)
    assert caught.value.code == "did-malformed"


def test_builds_from_host_and_segments() -> None:
    web = DidWeb.for_host("localhost:8460", "issuers", "north")
    assert str(web) == "did:web:localhost%3A8460:issuers:north"
    assert web.document_url("http") == "http://localhost:8460/issuers/north/did.json"
    assert str(DidWeb.for_host("example.edu")) == "did:web:example.edu"


@pytest.mark.parametrize(
    ("authority", "segments", "code"),
    [
        ("::1", (), "did-ip-literal"),
        ("[::1]", (), "did-ip-literal"),
        ("127.0.0.1:80", (), "did-ip-literal"),
        ("example.edu:", (), "did-port-invalid"),
        ("example.edu:80:80", (), "did-port-invalid"),
        ("user@example.edu", (), "did-host-invalid"),
        ("example.edu", ("a/b",), "did-path-invalid"),
        ("example.edu", ("a:b",), "did-path-invalid"),
        ("example.edu", ("..",), "did-path-invalid"),
        ("example.edu", ("a" * 2_048,), "did-too-long"),
    ],
)
def test_builds_nothing_that_it_would_not_read(
    authority: str, segments: tuple[str, ...], code: str
) -> None:
    with pytest.raises(Malformed) as caught:
        DidWeb.for_host(authority, *segments)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.edu/did.json", "did-malformed"),
        ("https://example.edu/a/other.json", "did-malformed"),
        ("ftp://example.edu/a/did.json", "did-malformed"),
        ("https://example.edu", "did-malformed"),
        ("https://example.edu/" + "a" * 5_000 + "/did.json", "did-malformed"),
        ("https://example.edu/a%2Fb/did.json", "did-path-invalid"),
        ("https://example.edu/../did.json", "did-path-invalid"),
        ("https://example.edu//did.json", "did-path-invalid"),
        ("https://example.edu/?x=/did.json", "did-path-invalid"),
        ("https://user@example.edu/a/did.json", "did-host-invalid"),
        ("https://127.0.0.1/a/did.json", "did-ip-literal"),
    ],
)
def test_no_did_is_made_of_another_url(url: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        DidWeb.for_document_url(url)
    assert caught.value.code == code


def test_says_when_a_name_is_punycode() -> None:
    assert parse_did_web("did:web:www.xn--bcher-kva.example").is_international
    assert not parse_did_web("did:web:example.edu").is_international


@pytest.mark.parametrize("port", [0, -1, 65_536, True])
def test_parts_that_no_text_could_have_are_refused_as_well(port: int) -> None:
    assert str(DidWeb("example.edu", 65_535)) == "did:web:example.edu%3A65535"
    with pytest.raises(Malformed) as caught:
        DidWeb("example.edu", port)
    assert caught.value.code == "did-port-invalid"
