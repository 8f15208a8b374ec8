"""Digests of every published revision of the contexts in use, as facts.

An issuer may pin a context by the digest of its bytes. The bytes differ from revision to
revision, and from those of the bundled tables, so each is listed. The form is that of
Subresource Integrity; SHA-384 and SHA-512 stand where the revision's bytes were at hand.
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
    (
        "sha512-K0b8eUWXuqjlW4ViHnujgprInNp3dJa2D+RMCqHLv/0MTudwmi2ftNYlU4A0K0mhWsCz"
        "1uYISlUFxsxCU8NXyw=="
    ),
)

REVISIONS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    VC_V1: (
        (
            "sha256-q03dmlMXWIB6eaW0UFENYa6NFH6rlmzJogDAcJWwzcw=",
            "sha384-gsOz6rhjdUu/0rnxfY1tufYRafMBy/CwXh/EvrX1xR3U0uiIwnT0nD+7JAj2H67R",
            (
                "sha512-U2pAs5DdqUqeORlsAAkPYmaOgYT+PIwCxKIshWZuaL9uhdPcfy26hbK2Lvldl94kEyVo"
                "2FBNtD8snILS6IQY0g=="
            ),
        ),
    ),
    VC_V2: (
        (
            "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ=",
            "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
            (
                "sha512-XVVFK9Lc+KKfWikEc+skKxxft31OaPGgqoe6pNuiaUhS1l7GPUisBKmdlW+fcVO5QG+E"
                "0tBMdIabAsI5odgTBQ=="
            ),
        ),
        (
            "sha256-JKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k=",
            "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg",
            (
                "sha512-yxM236hnDYDQM0SzsMwl+vTUUgGCPDXzm7Gv5an5EfYV/07IDsXy+J4z0U6Wvsi+eOON"
                "81uRjJzV87NEm9bIjw=="
            ),
        ),
    ),
    f"{_NS}credentials/examples/v2": (
        (
            "sha256-Vzk/vGnW77m5tdyctrmICwlENgq/4ur0WcnljPInnXw=",
            "sha384-zNNbQTWCSUSi0bbz7dbua+RcENv7C6FvlmYJ1Y+I727HsPOHdzwELMYO9Mz68M26",
            (
                "sha512-jVYwl+qxI5Zr1/uIolZtGfs2kRLav96brf1VPAThAb6yMJGPWPW5J4gfezLRYEX4rA9g"
                "G0V07rCVIb+/nlOWaQ=="
            ),
        ),
    ),
    f"{_NS}credentials/undefined-terms/v2": (
        (
            "sha256-gtq1FLpE6xj10bD2OMXhQMalVvv7UIlgG9wPpeuLJYE=",
            "sha384-sqZszdunC6Z62Zwv9S5gVY3wBjzqUcTKiG4l2epzz6u4eLr5LcKtK9omwxORhQ1o",
            (
                "sha512-fFJf9JvEeexdp/zPXVZJfkvkCOsmnTZgnMH2zh+cTuI+Su+1PTcotKHKxW2mUY/P3nia"
                "8jpd+3f0zmk+te1YGw=="
            ),
        ),
    ),
    f"{_NS}credentials/status/v1": (
        (
            "sha256-/aWt01MjHmpohKRrEubHVGQoGQDLNIKE2cNg9iOB2fc=",
            "sha384-rA74E4M+vWZrYXCmHFrazG19L1oEDRbCko6EFNT6B/ZNcDEwIeAr9Pl73RI+2ahO",
            (
                "sha512-/yynZnuZA3O0axJTXmuN6OricBQyeHFa2TWxWSFlIeUUyxzNhRdBCiQpUn4k2PyW+I+L"
                "c0iHomAubuB7g7Zv7Q=="
            ),
        ),
    ),
    f"{_NS}cid/v1": (_CID_V1,),
    f"{_NS}did/v1": (
        (
            "sha256-Tz6uVWjJxfA2oIIIj54ZIBnuBvqniXPIf/kdVCG4ja0=",
            "sha384-dfTez4F0pvLUDA3b2M37QwDq0kZttJMiWaSDpuEXdJMvFYgHhuH7wWxLOZ+Ykbkr",
            (
                "sha512-7FUpU2fb467JAguIB9BZCnNdh83Ls1/wTvaFN6bQm+njweR86tdLhV01hPg61AjzTam5"
                "JWR+CElUqvf1SAeFjw=="
            ),
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
            (
                "sha512-Oc16mkBHt0uFJGQP41Yz6B6ChtFL27fnfQ4I2FCwDWo1sBhdXeNcR5uu2yOheYnZ9iis"
                "lVMf3XnAxaD2Mtn6lQ=="
            ),
        ),
    ),
    f"{_W3ID}security/suites/ed25519-2020/v1": (
        (
            "sha256-PbXBnvsAR6bt/Ts24kNGqKPKrTaddJ48LWnoYmlkA+U=",
            "sha384-Zwd1xhc44pO8ZLsrxFlVfhDhodOXLfy5uViv2iiR2rzmT3KzpFJXlaDn3IWc4hME",
            (
                "sha512-LdZjoWEoORwBFzY+0Ge5V20H+n/ILd36wLjrDpnnSGp8jfcBiltCcVS25Mz8wu4XqEFZ"
                "kBE97dpTAZWdPqqDXA=="
            ),
        ),
        ("sha256-sTA/AU0nLZkfgdh2eg849vQWlWXggRBALueR+ha+CXA=",),
    ),
    f"{_W3ID}security/jwk/v1": (
        (
            "sha256-DxS2L2Bxqv4A3yZXcOoMdQjhGCR9ebfYYaQG0qoAvs4=",
            "sha384-di3FXOefNh47vrfTyw3bPkS44ohSYfgoMYOVnRqqM5BK9qgAUFntlkFQDqt9jdrl",
            (
                "sha512-Dvv/hFI9cgovMx/sT77clp7i51dkwO0yXHLLVrxTnTqcZCAjyVhzWv1TV1VKsffhMRHw"
                "3Phh9ZsrwEUSbNhSEQ=="
            ),
        ),
    ),
    f"{_W3ID}security/multikey/v1": (
        (
            "sha256-uiwYLeLZL35HGEvMqPzwvq7m05hsUnv2ZMGVu8fFhZc=",
            "sha384-D6UWQdEvuMcBsuapSSVW8l0yu0r4SpbxGAjwpiO5ckNN0YqPHxhlvGjY7gRsTlo+",
            (
                "sha512-En0TOOp/cC10XtW/aQDtqKrEQZ2lRjGB/KAsJ+BQhRBufT7s6eoOFWvP9cP5nurTl3hc"
                "RTvFeffdVJapkeELXw=="
            ),
        ),
    ),
    f"{_W3ID}vc/status-list/2021/v1": (
        ("sha256-bdBqUr7bdx4FnBCDuounhI3OIva0qM+guYuj/BiIcOQ=",),
    ),
    f"{_CLR}context.json": (
        (
            "sha256-4ZjXtRfXTFA2Q0zklQhvZ7ECRHCemj353Lf4sVebYWc=",
            "sha384-KrykFED/SqTm4q4MAIUecRCpsV9tUZVhroyD5rGk9eiUMTxytgCGcJ8D82pcZ87/",
            (
                "sha512-2wEAwdR+Z9OwSYbo6dahwwSiTdnfqs1U0h8NaRqrDurouzsUUwc5MZmhgrcemX7FmKtH"
                "Q1RvdPgPuX4/Zmszbw=="
            ),
        ),
    ),
    f"{_CLR}context-2.0.1.json": (
        (
            "sha256-iA8ZAtQVjy8zzgavQbkHGZd80eozep3i5B7bP/XlQ9Y=",
            "sha384-qEatkjaZxn310JMkE0xkXR4V9EKfJIhWy/HKiWd2TPh0FHbqVX3VBciR/kfiSHod",
            (
                "sha512-oSLIySQ+U/k/B1Gn+0QH8Rh6mbZu8YYMjRA3310Ow8jZ8vyn3jgXCa85AnfIua0593ex"
                "5QW0/SbISfoKnja1xA=="
            ),
        ),
    ),
    f"{_OB}context.json": (
        (
            "sha256-sHf6E02QnZLB3NHBU/KvGyRK60FZZ/3BRn1/xd1IrBA=",
            "sha384-zHcVdFeEExngWrDZZX/hRBUKYmwfD9icDmOfWNRo7bVRNZfZ8URZMQyG7GuXW3TM",
            (
                "sha512-bp9HiR9EWR3EMiRRNtrN2gFsG6mE+qeevdtMpp0oJzAf+/4uUTLQp1HTP9D7ljx0+nYW"
                "onGFCAJIxJrRHgNPKg=="
            ),
        ),
    ),
    f"{_OB}context-3.0.1.json": (
        (
            "sha256-1YLzVkKC+ztwkTbShBLnjnC2eLTbwvAiH2fYSTJ0g1U=",
            "sha384-QQ5NeMjyNs1GuL/RbZrkmNrh/E7r7w72eb2CG4f8MzTZb2tYXd4iZHGnuizJNnGV",
            (
                "sha512-1cn+z5CLHXQ+V/HBT0+0mo50GCYTVbfR3Bdyxq9q+n/BVeMdFUx8sX9x+TxqRT5UEjTs"
                "QGvUPyRD3wcr6axutg=="
            ),
        ),
    ),
    f"{_OB}context-3.0.2.json": (
        (
            "sha256-AGZq0IC6QHaH7RhGt/XnSV9QGQQrICpyfeR8SKF1XFM=",
            "sha384-fgAKnHG+zBOzWVYEcNTRsA+NFUygUsVM3SDH3muHr1r8gqotLlcalL/3YrkVXqh0",
            (
                "sha512-eLFELyXi7s7PTXsnTwYZ7ITM1rgeleewHlWJnVM+FDZ46fp4tMeMPjfBSoKcNlg4+jCk"
                "M3HUe2UUKTPfdY3Rmw=="
            ),
        ),
    ),
    OB_V3: (
        (
            "sha256-7y+px4RtziM8wWa0NjkCcni+TuRPALsdRcdd4t0M12E=",
            "sha384-yFn2wAoeABPuecHlzHVmtt+mwolxxGzhqzIhzfuitsbYbmMOVn0DwMeAvC+a1Rek",
            (
                "sha512-77ErJ79hQCyiUeOVYmMQ3Ao9sHak1+Spvb75/vlnZV2bK8c7k+EuqCSMKDkE9NcAcGxz"
                "qa1iUv/G65B9l8cLdg=="
            ),
        ),
        (
            "sha256-PTT01O8bzmkRBuY3mL6157hiuoQUI/XuHlOrfd87yoQ=",
            "sha384-xY1z7c0sF+cBmF+RjMjGhEhfLFOZ/73crLPeV0TwkAAPJE5fhyksNTKYrM+w2JTj",
            (
                "sha512-VWSMa0VKd3hA+UemOpzBFHCxLuyI1x/Tlxa60fHiJkGfSTXqR1uLyZDB0AQIb3xEqdFj"
                "3k+WdvzCZICnc+/AUA=="
            ),
        ),
    ),
    OB_EXTENSIONS: (
        (
            "sha256-FG+Fqhbv/Xyh2oBW60Q/U84eyoo0GGywYoMsCpfYicM=",
            "sha384-z1mktLGQrnmIFKtryRHALv3ikcOGrtG7Eb1aVy0esmab/YcBnplDiNtQSgmsJE1e",
            (
                "sha512-xMJYNcy/ddGvSoqtC7yj0ie5BM9GLgx/F2ed2Q/y4nuQ+6oVw6sVJWUUcc/wdvfOo9q/"
                "0+rjN4nkpMH1qydspg=="
            ),
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
