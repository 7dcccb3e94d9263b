//! Which addresses somebody else's words may lead to: a plugin's, a registry's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that stand for the machine's own environment: cloud metadata and the like. Refused even where private
/// addresses are granted.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether a connection may be made to the address. `private` admits loopback, RFC 1918 and unique local addresses,
/// never link-local, multicast, unspecified or metadata ones.
#[must_use]
pub fn allowed(ip: IpAddr, private: bool) -> bool {
    let ip = plain(ip);
    if METADATA.contains(&ip) {
        return false;
    }
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            if v4.is_unspecified() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || a == 0 || a >= 240
            {
                return false;
            }
            if v4.is_loopback() || v4.is_private() || (a == 100 && (64..128).contains(&b)) {
                return private;
            }
            // IETF protocol assignments, documentation, 6to4 relays, benchmarking: nothing to talk to.
            !matches!(
                (a, b, c),
                (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113)
            )
        }
        IpAddr::V6(v6) => {
            let s = v6.segments();
            if v6.is_loopback() || v6.is_unique_local() {
                return private;
            }
            // Only global unicast, without the ranges that embed other addresses or lead nowhere: Teredo and other
            // 2001::/23 assignments, documentation, 6to4.
            (s[0] & 0xe000) == 0x2000
                && !(s[0] == 0x2001 && s[1] < 0x200)
                && !(s[0] == 0x2001 && s[1] == 0xdb8)
                && s[0] != 0x2002
                && !(s[0] == 0x3fff && s[1] < 0x1000)
        }
    }
}

/// The IPv4 address inside `::ffff:a.b.c.d`.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_pass_and_others_do_not() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "2606:4700:4700::1111",
            "::ffff:8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
        ] {
            assert!(allowed(ip.parse().unwrap(), false), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
        ] {
            assert!(!allowed(ip.parse().unwrap(), false), "{ip}");
        }
    }

    #[test]
    fn a_private_grant_never_admits_metadata_or_link_local() {
        for ip in [
            "10.0.0.1",
            "127.0.0.1",
            "192.168.1.1",
            "::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "100.64.0.1",
        ] {
            assert!(allowed(ip.parse().unwrap(), true), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fe80::1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
        ] {
            assert!(!allowed(ip.parse().unwrap(), true), "{ip}");
        }
    }
}
