"""Spellings of hosts that lead inside, and what each is answered.

By what a lenient parser or resolver makes of them: WHATWG URL, `inet_aton`, RFC 3986 user
information, RFC 4291 and RFC 6052 forms of IPv6, and names that are known to lead inside.
"""

from typing import Final, NamedTuple

IP = "did-ip-literal"
HOST = "did-host-invalid"
IDN = "did-idn-not-ascii"
PATH = "did-path-invalid"
PORT = "did-port-invalid"
ADDRESS = "fetch-address-refused"
URL = "fetch-url-refused"


class DeniedHost(NamedTuple):
    """One row of the table."""

    host: str
    """As it stands between `https://` and the path."""

    leads_to: str
    """The address that an attacker wants to be asked by it."""

    did_code: str
    """For `did:web:` and the host, colons percent-encoded."""

    url_code: str = URL


DENIED: Final = (
    # IPv4 as it is written.
    DeniedHost("127.0.0.1", "127.0.0.1", IP),
    DeniedHost("127.0.0.53", "127.0.0.53", IP),
    DeniedHost("127.255.255.254", "127.255.255.254", IP),
    DeniedHost("0.0.0.0", "0.0.0.0", IP),
    DeniedHost("0.1.2.3", "0.1.2.3", IP),
    DeniedHost("10.0.0.1", "10.0.0.1", IP),
    DeniedHost("10.255.255.255", "10.255.255.255", IP),
    DeniedHost("100.64.0.1", "100.64.0.1", IP),
    DeniedHost("100.127.255.254", "100.127.255.254", IP),
    DeniedHost("169.254.169.254", "169.254.169.254", IP),
    DeniedHost("169.254.170.2", "169.254.170.2", IP),
    DeniedHost("172.16.0.1", "172.16.0.1", IP),
    DeniedHost("172.31.255.254", "172.31.255.254", IP),
    DeniedHost("192.0.0.8", "192.0.0.8", IP),
    DeniedHost("192.0.2.1", "192.0.2.1", IP),
    DeniedHost("192.88.99.1", "192.88.99.1", IP),
    DeniedHost("192.168.0.1", "192.168.0.1", IP),
    DeniedHost("192.168.255.254", "192.168.255.254", IP),
    DeniedHost("198.18.0.1", "198.18.0.1", IP),
    DeniedHost("198.51.100.7", "198.51.100.7", IP),
    DeniedHost("203.0.113.9", "203.0.113.9", IP),
    DeniedHost("224.0.0.1", "224.0.0.1", IP),
    DeniedHost("239.255.255.250", "239.255.255.250", IP),
    DeniedHost("240.0.0.1", "240.0.0.1", IP),
    DeniedHost("255.255.255.255", "255.255.255.255", IP),
    # IPv4 in odd numbers: inet_aton reads them all.
    DeniedHost("2130706433", "127.0.0.1", HOST),
    DeniedHost("0x7f000001", "127.0.0.1", HOST),
    DeniedHost("0X7F000001", "127.0.0.1", HOST),
    DeniedHost("017700000001", "127.0.0.1", HOST),
    DeniedHost("0177.0.0.1", "127.0.0.1", HOST),
    DeniedHost("0x7f.0.0.1", "127.0.0.1", HOST),
    DeniedHost("0x7f.0x0.0x0.0x1", "127.0.0.1", HOST),
    DeniedHost("0177.0.0.01", "127.0.0.1", HOST),
    DeniedHost("127.1", "127.0.0.1", HOST),
    DeniedHost("127.0.1", "127.0.0.1", HOST),
    DeniedHost("127.0x1", "127.0.0.1", HOST),
    DeniedHost("0x7f.1", "127.0.0.1", HOST),
    DeniedHost("127.000.000.001", "127.0.0.1", HOST),
    DeniedHost("00000177.0.0.1", "127.0.0.1", HOST),
    DeniedHost("127.0.0.0x1", "127.0.0.1", HOST),
    DeniedHost("0", "0.0.0.0", HOST),
    # And the metadata service of a cloud.
    DeniedHost("2852039166", "169.254.169.254", HOST),
    DeniedHost("0xa9fea9fe", "169.254.169.254", HOST),
    DeniedHost("0xa9.0xfe.0xa9.0xfe", "169.254.169.254", HOST),
    DeniedHost("025177524776", "169.254.169.254", HOST),
    DeniedHost("0251.0376.0251.0376", "169.254.169.254", HOST),
    DeniedHost("169.254.43518", "169.254.169.254", HOST),
    DeniedHost("169.16689662", "169.254.169.254", HOST),
    DeniedHost("0xA9FEA9FE", "169.254.169.254", HOST),
    DeniedHost("169.254.169.254.", "169.254.169.254", HOST),
    DeniedHost("169.254.169.254:80", "169.254.169.254", IP),
    # Overflowing numbers, which some resolvers cut.
    DeniedHost("4294967296", "0.0.0.0", HOST),
    DeniedHost("6425673729", "127.0.0.1", HOST),
    DeniedHost("0x17f000001", "127.0.0.1", HOST),
    DeniedHost("383.0.0.1", "127.0.0.1", HOST),
    DeniedHost("127.0.0.257", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1.0", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1.1", "127.0.0.1", HOST),
    # Digits that are none, and dots that are none.
    DeniedHost("\u2460\u2461\u2466.0.0.1", "127.0.0.1", HOST),
    DeniedHost("\uff11\uff12\uff17.0.0.1", "127.0.0.1", HOST),
    DeniedHost(
        "\U0001d7ed\U0001d7ee\U0001d7f3.\U0001d7ec.\U0001d7ec.\U0001d7ed", "127.0.0.1", HOST
    ),
    DeniedHost("\u247427.0.0.1", "127.0.0.1", HOST),
    DeniedHost("127\u30020\u30020\u30021", "127.0.0.1", IDN),
    DeniedHost("127\uff0e0\uff0e0\uff0e1", "127.0.0.1", HOST),
    DeniedHost("127\uff610\uff610\uff611", "127.0.0.1", IDN),
    DeniedHost("\u0661\u0662\u0667.\u0660.\u0660.\u0661", "127.0.0.1", IDN),
    DeniedHost("\u0967\u0968\u096d.\u0966.\u0966.\u0967", "127.0.0.1", IDN),
    DeniedHost("\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "127.0.0.1", HOST),
    DeniedHost("\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54", "127.0.0.1", HOST),
    DeniedHost("loc\u0430lhost", "127.0.0.1", IDN),
    DeniedHost("l\u043ecalhost", "127.0.0.1", IDN),
    DeniedHost("\u017focalhost", "127.0.0.1", HOST),
    DeniedHost("local\u200bhost", "127.0.0.1", IDN),
    DeniedHost("local\xadhost", "127.0.0.1", IDN),
    DeniedHost("127.0.0.1\u200e", "127.0.0.1", IDN),
    # IPv6 as it is written.
    DeniedHost("[::]", "::", IP),
    DeniedHost("[::1]", "::1", IP),
    DeniedHost("[0:0:0:0:0:0:0:1]", "::1", IP),
    DeniedHost("[0000:0000:0000:0000:0000:0000:0000:0001]", "::1", IP),
    DeniedHost("[::0001]", "::1", IP),
    DeniedHost("::1", "::1", IP),
    DeniedHost("[100::1]", "100::1", IP),
    DeniedHost("[3ffe::1]", "3ffe::1", IP),
    DeniedHost("[3fff::1]", "3fff::1", IP),
    DeniedHost("[5f00::1]", "5f00::1", IP),
    DeniedHost("[2001:db8::1]", "2001:db8::1", IP),
    DeniedHost("[fc00::1]", "fc00::1", IP),
    DeniedHost("[fd00:ec2::254]", "fd00:ec2::254", IP),
    DeniedHost("[fe80::1]", "fe80::1", IP),
    DeniedHost("[fec0::1]", "fec0::1", IP),
    DeniedHost("[ff02::1]", "ff02::1", IP),
    DeniedHost("[FD00::1]", "fd00::1", IP),
    DeniedHost("[4000::1]", "4000::1", IP),
    # IPv4 inside IPv6: mapped, compatible, translated.
    DeniedHost("[::ffff:127.0.0.1]", "::ffff:127.0.0.1", IP),
    DeniedHost("[::ffff:7f00:1]", "::ffff:7f00:1", IP),
    DeniedHost("[::FFFF:127.0.0.1]", "::ffff:127.0.0.1", IP),
    DeniedHost("[0:0:0:0:0:ffff:127.0.0.1]", "::ffff:127.0.0.1", IP),
    DeniedHost("[::ffff:169.254.169.254]", "::ffff:169.254.169.254", IP),
    DeniedHost("[::ffff:a9fe:a9fe]", "::ffff:a9fe:a9fe", IP),
    DeniedHost("[::ffff:10.0.0.1]", "::ffff:10.0.0.1", IP),
    DeniedHost("[::127.0.0.1]", "::127.0.0.1", IP),
    DeniedHost("[::7f00:1]", "::7f00:1", IP),
    DeniedHost("[::ffff:0:127.0.0.1]", "::ffff:0:7f00:1", IP),
    DeniedHost("::ffff:127.0.0.1", "::ffff:127.0.0.1", IP),
    # NAT64, 6to4, Teredo: a gateway makes IPv4 of them.
    DeniedHost("[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1", IP),
    DeniedHost("[64:ff9b::7f00:1]", "64:ff9b::7f00:1", IP),
    DeniedHost("[64:ff9b::a9fe:a9fe]", "64:ff9b::a9fe:a9fe", IP),
    DeniedHost("[64:ff9b::10.0.0.1]", "64:ff9b::a00:1", IP),
    DeniedHost("[64:ff9b:1::127.0.0.1]", "64:ff9b:1::7f00:1", IP),
    DeniedHost("[64:ff9b:1:fffe::a9fe:a9fe]", "64:ff9b:1:fffe::a9fe:a9fe", IP),
    DeniedHost("[2002:7f00:1::]", "2002:7f00:1::", IP),
    DeniedHost("[2002:7f00:1::1]", "2002:7f00:1::1", IP),
    DeniedHost("[2002:a9fe:a9fe::]", "2002:a9fe:a9fe::", IP),
    DeniedHost("[2002:a00:1::]", "2002:a00:1::", IP),
    DeniedHost("[2001::1]", "2001::1", IP),
    DeniedHost("[2001:0:7f00:1::]", "2001:0:7f00:1::", IP),
    DeniedHost(
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "2001:0:4136:e378:8000:63bf:80ff:fffe", IP
    ),
    DeniedHost("[2001:10::1]", "2001:10::1", IP),
    DeniedHost("[2001:2::1]", "2001:2::1", IP),
    # Zones.
    DeniedHost("[fe80::1%25eth0]", "fe80::1%lo", IP),
    DeniedHost("[fe80::1%eth0]", "fe80::1%lo", IP),
    DeniedHost("[fe80::1%lo]", "fe80::1%lo", IP),
    DeniedHost("[::1%25lo]", "::1", IP),
    DeniedHost("[::1%lo]", "::1", IP),
    DeniedHost("[ff02::1%25lo]", "ff02::1", IP),
    # Brackets that do not fit.
    DeniedHost("[127.0.0.1]", "127.0.0.1", IP),
    DeniedHost("[::1", "::1", IP),
    DeniedHost("::1]", "::1", IP),
    DeniedHost("[[::1]]", "::1", IP),
    DeniedHost("[]", "127.0.0.1", IP),
    DeniedHost("[127.1]", "127.0.0.1", IP),
    DeniedHost("[::127.1]", "127.0.0.1", IP),
    DeniedHost("[v1.127.0.0.1]", "127.0.0.1", IP),
    # User information.
    DeniedHost("user@127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("user:secret@127.0.0.1", "127.0.0.1", PORT),
    DeniedHost("good.example@127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("good.example:443@127.0.0.1", "127.0.0.1", PORT),
    DeniedHost("good.example%40127.0.0.1", "127.0.0.1", PATH),
    DeniedHost("good.example%40127.0.0.1%3A8080", "127.0.0.1", PATH),
    DeniedHost("good.example&@127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("good.example\\@127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1#@good.example", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1?@good.example", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1\\.good.example", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1%2F@good.example", "127.0.0.1", PATH),
    DeniedHost("@127.0.0.1", "127.0.0.1", HOST),
    DeniedHost(":@127.0.0.1", "127.0.0.1", PORT),
    # Percent-encoding, controls and blanks.
    DeniedHost("%31%32%37.0.0.1", "127.0.0.1", PATH),
    DeniedHost("127%2e0%2e0%2e1", "127.0.0.1", PATH),
    DeniedHost("%6c%6f%63%61%6c%68%6f%73%74", "127.0.0.1", PATH),
    DeniedHost("localhos%74", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1%00.good.example", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1%0d%0ahost", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1%09", "127.0.0.1", PATH),
    DeniedHost("%5B%3A%3A1%5D", "127.0.0.1", IP),
    DeniedHost("%255B::1%255D", "127.0.0.1", PATH),
    DeniedHost("127.0.0.1 ", "127.0.0.1", HOST),
    DeniedHost(" 127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1\t", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1\nx", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1\x00.good.example", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1%20", "127.0.0.1", PATH),
    DeniedHost("%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "127.0.0.1", PATH),
    # Dots too many.
    DeniedHost("127.0.0.1.", "127.0.0.1", HOST),
    DeniedHost("127.0.0.1..", "127.0.0.1", HOST),
    DeniedHost("127..0.0.1", "127.0.0.1", HOST),
    DeniedHost(".127.0.0.1", "127.0.0.1", HOST),
    DeniedHost("localhost.", "127.0.0.1", HOST),
    DeniedHost("localhost..", "127.0.0.1", HOST),
    DeniedHost(".localhost", "127.0.0.1", HOST),
    DeniedHost("localhost.localdomain.", "127.0.0.1", HOST),
    DeniedHost("metadata.google.internal.", "169.254.169.254", HOST),
    # Ports.
    DeniedHost("127.0.0.1:22", "127.0.0.1", IP),
    DeniedHost("127.0.0.1:0", "127.0.0.1", PORT),
    DeniedHost("localhost:0", "127.0.0.1", PORT),
    DeniedHost("localhost:22x", "127.0.0.1", PORT),
    DeniedHost("localhost:0443", "127.0.0.1", PORT),
    DeniedHost("localhost:99999", "127.0.0.1", PORT),
    DeniedHost("localhost:-1", "127.0.0.1", PORT),
    DeniedHost("localhost:", "127.0.0.1", PORT),
    DeniedHost("127.0.0.1:80:80", "127.0.0.1", PORT),
    # One word, or another case: a search list may complete it.
    DeniedHost("LOCALHOST", "127.0.0.1", HOST),
    DeniedHost("Localhost", "127.0.0.1", HOST),
    DeniedHost("localHost", "127.0.0.1", HOST),
    DeniedHost("loopback", "127.0.0.1", HOST),
    DeniedHost("ip6-localhost", "127.0.0.1", HOST),
    DeniedHost("ip6-loopback", "127.0.0.1", HOST),
    DeniedHost("broadcasthost", "127.0.0.1", HOST),
    DeniedHost("intranet", "127.0.0.1", HOST),
    DeniedHost("kubernetes", "127.0.0.1", HOST),
    DeniedHost("gateway", "127.0.0.1", HOST),
    DeniedHost("LOCALHOST.localdomain", "127.0.0.1", HOST),
    DeniedHost("local_host.example", "127.0.0.1", HOST),
    # Names that pass: what their DNS says is what counts.
    DeniedHost("localhost", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("localhost.localdomain", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("localtest.me", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("127.0.0.1.nip.io", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("7f000001.nip.io", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("lvh.me", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("spoofed.example.edu", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("xn--bcher-kva.example", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("localhost.example", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("0x7f.example", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("127.0.0.1.example", "127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("metadata.google.internal", "169.254.169.254", ADDRESS, ADDRESS),
    DeniedHost("instance-data.ec2.internal", "169.254.169.254", ADDRESS, ADDRESS),
    DeniedHost("kubernetes.default.svc", "10.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("router.home.arpa", "192.168.0.1", ADDRESS, ADDRESS),
    DeniedHost("nat64.example", "64:ff9b::a9fe:a9fe", ADDRESS, ADDRESS),
    DeniedHost("six-to-four.example", "2002:7f00:1::", ADDRESS, ADDRESS),
    DeniedHost("mapped.example", "::ffff:127.0.0.1", ADDRESS, ADDRESS),
    DeniedHost("unique-local.example", "fd00:ec2::254", ADDRESS, ADDRESS),
    DeniedHost("zero.example", "0.0.0.0", ADDRESS, ADDRESS),
)
