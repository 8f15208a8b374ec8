import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from did.address import FetchAddressRefused, check_public_address

NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "200::1",
    "e000::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_refuses_an_address_that_is_not_public(address: str) -> None:
    with pytest.raises(FetchAddressRefused) as caught:
        check_public_address(address)
    assert caught.value.code == "fetch-address-refused"
    assert caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
    ],
)
def test_lets_public_addresses_pass(address: str) -> None:
    check_public_address(address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_is_stricter_than_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        with pytest.raises(FetchAddressRefused):
            check_public_address(str(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_passes_where_it_is_allowed(address: str) -> None:
    check_public_address(address, allow_loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "fe80::1",
        "0.0.0.0",
    ],
)
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    with pytest.raises(FetchAddressRefused):
        check_public_address(address, allow_loopback=True)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "2130706433", "0x7f000001"])
def test_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(FetchAddressRefused, match="want an IP address"):
        check_public_address(address)
