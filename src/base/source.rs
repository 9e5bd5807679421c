//! Where a request comes from: the address of its client, and the source that limits count it by.
//!
//! A forwarded address is trusted only from a proxy in `TRUSTED_PROXIES`. If a proxy on this machine is missing there,
//! all its clients would count as one source, and a stranger could use up everybody's share. For the limits alone, the
//! address that such a proxy adds is therefore used. A forged one is no worse than having no limit per source. It is
//! never logged and proves nothing.

use std::net::{IpAddr, Ipv6Addr};

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use parking_lot::Mutex;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network of one subscriber: an IPv4 address, or the first 64 bits of an IPv6 address, because a single host can
/// choose the rest freely.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address at the other end of the connection, or what trusted proxies forwarded.
    pub address: IpAddr,
    /// The address that limits count. It differs from `address` only behind a local proxy that is not trusted.
    pub source: IpAddr,
}

/// The proxies in front of the gateway.
#[derive(Debug, Default)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    /// A proxy that is missing from the settings, once one was noticed.
    missing: Mutex<Option<IpAddr>>,
    /// A trusted proxy that forwarded a request without its client's address, once one was noticed.
    silent: Mutex<Option<IpAddr>>,
}

impl Proxies {
    pub fn new(trusted: Vec<IpNet>) -> Self {
        Self {
            trusted,
            missing: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    pub fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// A local proxy that is in use but not trusted, to report to the operator.
    pub fn missing(&self) -> Option<IpAddr> {
        *self.missing.lock()
    }

    /// A trusted proxy that does not forward its clients' addresses, to report to the operator.
    pub fn silent(&self) -> Option<IpAddr> {
        *self.silent.lock()
    }

    /// Who sent a request with these headers over a connection from `address`.
    pub fn peer(&self, address: IpAddr, headers: &HeaderMap) -> Peer {
        let address = address.to_canonical();
        if self.is_trusted(address) {
            if is_proxied(headers) && forwarded(headers).next().flatten().is_none() {
                let mut silent = self.silent.lock();
                if silent.replace(address).is_none() {
                    tracing::warn!(
                        proxy = %address,
                        advice = "this proxy does not pass on its clients' addresses, so they can't be told apart; let it set X-Forwarded-For",
                        "web.proxy_tells_no_address"
                    );
                }
            }
            let address = self.client(address, headers);
            return Peer {
                address,
                source: address,
            };
        }
        let mut source = address;
        if address.is_loopback() && is_proxied(headers) {
            source = forwarded(headers).next().flatten().unwrap_or(address);
            let mut missing = self.missing.lock();
            if missing.replace(address).is_none() {
                tracing::warn!(
                    proxy = %address,
                    advice = "a proxy on this machine is not in TRUSTED_PROXIES, so its clients can't be told apart; add its address, and let it set X-Forwarded-For",
                    "web.proxy_not_trusted"
                );
            }
        }
        Peer { address, source }
    }

    /// The right-most forwarded address that is not a trusted proxy's. An entry that is not an address ends the
    /// search, because everything to its left came from an untrusted sender.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for entry in forwarded(headers) {
            match entry {
                Some(address) if self.is_trusted(client) => client = address,
                _ => break,
            }
        }
        client
    }
}

/// The entries of `X-Forwarded-For` from right to left; `None` for one that is not an address.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let entries = lines
        .map(|line| line.to_str().unwrap_or_default())
        .flat_map(|line| line.rsplit(','));
    entries.map(|entry| entry.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical()))
}

/// Whether a request from this machine came through a proxy: it has a forwarding header, or a `Host` that is not this
/// machine.
fn is_proxied(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED_FOR)
        || headers.contains_key(FORWARDED)
        || headers.get(HOST).is_some_and(|host| !names_loopback(host))
}

fn names_loopback(host: &HeaderValue) -> bool {
    let host = host.to_str().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .fold(HeaderMap::new(), |mut all, (name, value): (_, HeaderValue)| {
                all.append(name, value);
                all
            })
    }

    proptest! {
        /// No header causes a panic, and without trusted proxies the peer's own address counts.
        #[test]
        fn arbitrary_headers_never_panic(value in "[ -~]{0,80}", peer: [u8; 4]) {
            let (peer, headers) = (IpAddr::from(peer), headers(&[("x-forwarded-for", &value)]));
            Proxies::new(vec!["0.0.0.0/0".parse().unwrap()]).peer(peer, &headers);
            prop_assert_eq!(Proxies::default().peer(peer, &headers).address, peer);
        }
    }

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

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let proxies = Proxies::new(trusted);
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let client = proxies.peer(peer.parse().unwrap(), &headers(&lines)).address;
            assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        };
        // A header sent directly by a client does not count.
        check("203.0.113.7", &["1.1.1.1"], "203.0.113.7");
        check("203.0.113.7", &[], "203.0.113.7");
        // Behind a trusted proxy, its header counts.
        check("127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["1.1.1.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7");
        check("127.0.0.1", &["1.1.1.1", "203.0.113.7, 10.0.0.2"], "203.0.113.7");
        check("127.0.0.1", &[], "127.0.0.1");
        // An entry that is not an address ends the search at the last trusted proxy.
        check("127.0.0.1", &["203.0.113.7, unknown"], "127.0.0.1");
        check("127.0.0.1", &["203.0.113.7, , 10.0.0.2"], "10.0.0.2");
        check("127.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check("127.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7");
        assert_eq!(proxies.missing(), None);
    }

    #[test]
    fn a_trusted_proxy_that_tells_no_address_is_noticed() {
        for (peer, lines, is_noticed) in [
            ("127.0.0.1", &[("host", "gw.example.org")][..], true),
            (
                "10.0.0.2",
                &[("host", "gw.example.org"), ("forwarded", "for=203.0.113.7")],
                true,
            ),
            ("10.0.0.2", &[("x-forwarded-for", "unknown")], true),
            (
                "127.0.0.1",
                &[("host", "gw.example.org"), ("x-forwarded-for", "127.0.0.1")],
                false,
            ),
            // A program on this machine, without a proxy.
            ("127.0.0.1", &[("host", "127.0.0.1:8080")], false),
            ("203.0.113.7", &[("host", "gw.example.org")], false),
        ] {
            let trusted = ["127.0.0.0/8", "10.0.0.0/8"].map(|network| network.parse().unwrap());
            let proxies = Proxies::new(trusted.into());
            let address: IpAddr = peer.parse().unwrap();
            proxies.peer(address, &headers(lines));
            assert_eq!(
                proxies.silent(),
                is_noticed.then_some(address),
                "{peer} {lines:?}"
            );
        }
    }

    /// The limits tell its clients apart, but their addresses are not trusted.
    #[test]
    fn a_local_proxy_that_is_not_trusted_is_noticed() {
        for (peer, lines, source, is_noticed) in [
            ("127.0.0.1", &[("host", "127.0.0.1:8080")][..], "127.0.0.1", false),
            ("::1", &[("host", "[::1]:8080")], "::1", false),
            ("127.0.0.1", &[("host", "localhost")], "127.0.0.1", false),
            (
                "127.0.0.1",
                &[("x-forwarded-for", "1.1.1.1, 203.0.113.7")],
                "203.0.113.7",
                true,
            ),
            ("::1", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1", true),
            ("127.0.0.1", &[("x-forwarded-for", "somebody")], "127.0.0.1", true),
            (
                "127.0.0.1",
                &[("forwarded", "for=203.0.113.7")],
                "127.0.0.1",
                true,
            ),
            ("127.0.0.1", &[("host", "gw.example.org")], "127.0.0.1", true),
            (
                "203.0.113.7",
                &[("x-forwarded-for", "1.1.1.1")],
                "203.0.113.7",
                false,
            ),
        ] {
            let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
            let address: IpAddr = peer.parse().unwrap();
            let seen = proxies.peer(address, &headers(lines));
            let expected = Peer {
                address,
                source: source.parse().unwrap(),
            };
            assert_eq!(seen, expected, "{lines:?}");
            assert_eq!(proxies.missing(), is_noticed.then_some(address), "{lines:?}");
        }
    }
}
