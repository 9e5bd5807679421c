//! The source of a request, as used by limits.

use std::net::{IpAddr, Ipv6Addr};

/// The network of one subscriber: an IPv4 address, or the first 64 bits of an IPv6 address, because a single host can
/// choose the rest freely.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_one_source() {
        for (one, other, same) in [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:1:1::1", "2001:db8:1:1:ffff::9", true),
            ("2001:db8:1:1::1", "2001:db8:1:2::1", false),
        ] {
            let read = |text: &str| network(text.parse().unwrap());
            assert_eq!(read(one) == read(other), same, "{one} {other}");
        }
    }
}
