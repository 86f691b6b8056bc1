//! Loopback ports that stay ours from one life of a server to the next: outside the range from which the kernel takes
//! the ports of outgoing connections, of which a rig has thousands.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// The next port that nobody has.
pub fn free() -> SocketAddr {
    // Two rigs at once begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    loop {
        let turn = TAKEN.fetch_add(1, Ordering::SeqCst);
        assert!(turn < COUNT, "no port is free");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (start + turn) % COUNT));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
