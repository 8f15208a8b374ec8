"""Digests of every published revision of the contexts in use, as facts.

An issuer may pin a context by the digest of its bytes. The bytes differ from revision to
revision, and from those of the bundled tables, so each is listed. The form is that of
Subresource Integrity; SHA-384 stands where the revision's bytes were at hand.
"""

from collections.abc import Mapping
from typing import Final

from credentials.jsonld.loader import OB_EXTENSIONS, OB_V3, VC_V1, VC_V2

_W3ID: Final = "https://w3id.org/"
_NS: Final = "https://www.w3.org/ns/"
_CLR: Final = "https://purl.imsglobal.org/spec/clr/v2p0/"
_OB: Final = "https://purl.imsglobal.org/spec/ob/v3p0/"

_CID_V1: Final = (
    "sha256-6iFuzBywLNObaT26IlAUHicLoL+ViQvhB92ano5D3oU=",
    "sha384-Mn2STUpIUY61Ql6KlDCj8g2WeLsREc3b8P8qZ7hU7khcLvFJ381FFt/Br35zO+wY",
)

REVISIONS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    VC_V1: (
        (
            "sha256-q03dmlMXWIB6eaW0UFENYa6NFH6rlmzJogDAcJWwzcw=",
            "sha384-gsOz6rhjdUu/0rnxfY1tufYRafMBy/CwXh/EvrX1xR3U0uiIwnT0nD+7JAj2H67R",
        ),
    ),
    VC_V2: (
        (
            "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ=",
            "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
        ),
        (
            "sha256-JKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k=",
            "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg",
        ),
    ),
    f"{_NS}credentials/examples/v2": (
        (
            "sha256-Vzk/vGnW77m5tdyctrmICwlENgq/4ur0WcnljPInnXw=",
            "sha384-zNNbQTWCSUSi0bbz7dbua+RcENv7C6FvlmYJ1Y+I727HsPOHdzwELMYO9Mz68M26",
        ),
    ),
    f"{_NS}credentials/undefined-terms/v2": (
        (
            "sha256-gtq1FLpE6xj10bD2OMXhQMalVvv7UIlgG9wPpeuLJYE=",
            "sha384-sqZszdunC6Z62Zwv9S5gVY3wBjzqUcTKiG4l2epzz6u4eLr5LcKtK9omwxORhQ1o",
        ),
    ),
    f"{_NS}credentials/status/v1": (
        (
            "sha256-/aWt01MjHmpohKRrEubHVGQoGQDLNIKE2cNg9iOB2fc=",
            "sha384-rA74E4M+vWZrYXCmHFrazG19L1oEDRbCko6EFNT6B/ZNcDEwIeAr9Pl73RI+2ahO",
        ),
    ),
    f"{_NS}cid/v1": (_CID_V1,),
    f"{_NS}did/v1": (
        (
            "sha256-Tz6uVWjJxfA2oIIIj54ZIBnuBvqniXPIf/kdVCG4ja0=",
            "sha384-dfTez4F0pvLUDA3b2M37QwDq0kZttJMiWaSDpuEXdJMvFYgHhuH7wWxLOZ+Ykbkr",
        ),
    ),
    f"{_NS}did/v1.1": (_CID_V1,),
    f"{_W3ID}security/data-integrity/v1": (
        ("sha256-tdgpvQmqfEKrxu+gyO12NTE7VIfzfM/OPs0UnKlBhVQ=",),
    ),
    f"{_W3ID}security/data-integrity/v2": (
        (
            "sha256-Z/IebjOmwU5cz9L8eGX3R0+3GgSvfpQTbLOZ36yK6PQ=",
            "sha384-DuLXYmcX+LB81Em1JdXitx/icgn8meUwieAWndKUTXk/7qRSb8YLucyhzZZRI5H2",
        ),
    ),
    f"{_W3ID}security/suites/ed25519-2020/v1": (
        (
            "sha256-PbXBnvsAR6bt/Ts24kNGqKPKrTaddJ48LWnoYmlkA+U=",
            "sha384-Zwd1xhc44pO8ZLsrxFlVfhDhodOXLfy5uViv2iiR2rzmT3KzpFJXlaDn3IWc4hME",
        ),
        ("sha256-sTA/AU0nLZkfgdh2eg849vQWlWXggRBALueR+ha+CXA=",),
    ),
    f"{_W3ID}security/jwk/v1": (
        (
            "sha256-DxS2L2Bxqv4A3yZXcOoMdQjhGCR9ebfYYaQG0qoAvs4=",
            "sha384-di3FXOefNh47vrfTyw3bPkS44ohSYfgoMYOVnRqqM5BK9qgAUFntlkFQDqt9jdrl",
        ),
    ),
    f"{_W3ID}security/multikey/v1": (
        (
            "sha256-uiwYLeLZL35HGEvMqPzwvq7m05hsUnv2ZMGVu8fFhZc=",
            "sha384-D6UWQdEvuMcBsuapSSVW8l0yu0r4SpbxGAjwpiO5ckNN0YqPHxhlvGjY7gRsTlo+",
        ),
    ),
    f"{_W3ID}vc/status-list/2021/v1": (
        ("sha256-bdBqUr7bdx4FnBCDuounhI3OIva0qM+guYuj/BiIcOQ=",),
    ),
    f"{_CLR}context.json": (
        (
            "sha256-4ZjXtRfXTFA2Q0zklQhvZ7ECRHCemj353Lf4sVebYWc=",
            "sha384-KrykFED/SqTm4q4MAIUecRCpsV9tUZVhroyD5rGk9eiUMTxytgCGcJ8D82pcZ87/",
        ),
    ),
    f"{_CLR}context-2.0.1.json": (
        (
            "sha256-iA8ZAtQVjy8zzgavQbkHGZd80eozep3i5B7bP/XlQ9Y=",
            "sha384-qEatkjaZxn310JMkE0xkXR4V9EKfJIhWy/HKiWd2TPh0FHbqVX3VBciR/kfiSHod",
        ),
    ),
    f"{_OB}context.json": (
        (
            "sha256-sHf6E02QnZLB3NHBU/KvGyRK60FZZ/3BRn1/xd1IrBA=",
            "sha384-zHcVdFeEExngWrDZZX/hRBUKYmwfD9icDmOfWNRo7bVRNZfZ8URZMQyG7GuXW3TM",
        ),
    ),
    f"{_OB}context-3.0.1.json": (
        (
            "sha256-1YLzVkKC+ztwkTbShBLnjnC2eLTbwvAiH2fYSTJ0g1U=",
            "sha384-QQ5NeMjyNs1GuL/RbZrkmNrh/E7r7w72eb2CG4f8MzTZb2tYXd4iZHGnuizJNnGV",
        ),
    ),
    f"{_OB}context-3.0.2.json": (
        (
            "sha256-AGZq0IC6QHaH7RhGt/XnSV9QGQQrICpyfeR8SKF1XFM=",
            "sha384-fgAKnHG+zBOzWVYEcNTRsA+NFUygUsVM3SDH3muHr1r8gqotLlcalL/3YrkVXqh0",
        ),
    ),
    OB_V3: (
        (
            "sha256-7y+px4RtziM8wWa0NjkCcni+TuRPALsdRcdd4t0M12E=",
            "sha384-yFn2wAoeABPuecHlzHVmtt+mwolxxGzhqzIhzfuitsbYbmMOVn0DwMeAvC+a1Rek",
        ),
        (
            "sha256-PTT01O8bzmkRBuY3mL6157hiuoQUI/XuHlOrfd87yoQ=",
            "sha384-xY1z7c0sF+cBmF+RjMjGhEhfLFOZ/73crLPeV0TwkAAPJE5fhyksNTKYrM+w2JTj",
        ),
    ),
    OB_EXTENSIONS: (
        (
            "sha256-FG+Fqhbv/Xyh2oBW60Q/U84eyoo0GGywYoMsCpfYicM=",
            "sha384-z1mktLGQrnmIFKtryRHALv3ikcOGrtG7Eb1aVy0esmab/YcBnplDiNtQSgmsJE1e",
        ),
    ),
}
"""From a context's URL to its revisions, each with its digests."""


def known_digests(url: str, algorithm: str) -> frozenset[str] | None:
    """Return the digest of every revision of the context at `url`, in one algorithm.

    Returns None if `url` is no known context, or a revision's digest is not on record:
    then another digest proves nothing.
    """
    revisions = REVISIONS.get(url)
    if revisions is None:
        return None
    found = [d for digests in revisions for d in digests if d.startswith(f"{algorithm}-")]
    return frozenset(found) if len(found) == len(revisions) else None
