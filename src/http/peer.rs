//! Who called: the socket's address, or, when that is a trusted proxy, the right-most address in `X-Forwarded-For`
//! that is none. Whatever a caller writes further left is not believed, and neither is `Forwarded`.

use actix_web::HttpRequest;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Addresses in `X-Forwarded-For` that are looked at. A chain of proxies is short; a longer list is a caller's.
const HOPS_MAX: usize = 16;

/// The caller of this request.
#[must_use]
pub fn of(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let socket = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    if trusted.is_empty() {
        return socket;
    }
    let values = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    behind(socket, values, trusted)
}

/// As [`of`], from the socket's address and the header's values in order.
fn behind<'a>(socket: IpAddr, values: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip.to_canonical()) || net.contains(&ip));
    if !is_trusted(socket) {
        return socket;
    }
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    let mut caller = socket;
    for hop in hops.into_iter().rev().take(HOPS_MAX) {
        // What is not an address ends the part that a proxy of ours can have written.
        let Some(ip) = parse(hop.trim()) else { return caller };
        caller = ip;
        if !is_trusted(ip) {
            return ip;
        }
    }
    caller
}

fn parse(hop: &str) -> Option<IpAddr> {
    hop.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|at| at.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(socket: &str, header: &[&str], expected: &str) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let caller = behind(socket.parse().unwrap(), header.iter().copied(), &trusted);
        assert_eq!(caller, expected.parse::<IpAddr>().unwrap(), "{socket} {header:?}");
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.2.3.4", "198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        check("10.0.0.1", &["10.0.0.2, 10.0.0.3"], "10.0.0.2");
        check("fd00::1", &["[2001:db8::1]:99"], "2001:db8::1");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
    }
}
