//! What every proxy in front of the gateway must hold.

use super::edge::{Instances, Proxy, curl};
use crate::harness::http;
use crate::harness::tls::Client;
use std::io::{Read, Write};

pub fn is_root() -> bool {
    let said = std::process::Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim() == "0"
}

fn client(instances: &Instances, proxy: &Proxy) -> Client {
    Client::new(instances.folder.path(), proxy.to)
}

/// A signed notice is taken over HTTP/2 and over HTTP/1.1, and its repeat by whichever instance is known.
pub fn notices_over_both_versions(instances: &Instances, proxy: &Proxy) {
    for (flag, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let notice = instances.notice();
        for _ in 0..3 {
            let (spoken, status, said) = curl(proxy, instances.folder.path(), &[flag], &notice);
            assert_eq!((spoken.as_str(), status), (version, 200), "{said}\n{}", proxy.log());
            let said: serde_json::Value = serde_json::from_str(&said).unwrap();
            assert_eq!(said["outcome"], "unknown_invoice", "kept in suspense");
        }
    }
}

/// The internal API, health, metrics and the proxy's own figures are not to be had from outside.
pub fn nothing_of_the_inside(instances: &Instances, proxy: &Proxy) {
    let client = client(instances, proxy);
    let get = |path: &str| client.call(&http::request("GET", path, &[], b""));
    for path in [
        "/",
        "/readyz",
        "/healthz",
        "/metrics",
        "/stats",
        "/stats;csv",
        "/status",
        "/api/v1/breaks",
        "/webhooks/../readyz",
        "/webhooks/%2e%2e/metrics",
        "//api/v1/outbox",
        "/partners/standard/pause",
    ] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    let put = client.call(&http::request("PUT", "/api/v1/invoices", &[("content-type", "text/csv")], b"x"));
    assert!(matches!(put.status, 404 | 405), "{}", put.status);
    assert_eq!(client.call(&http::request("DELETE", "/webhooks/standard", &[], b"")).status, 405);
    get("/webhooks/nobody?payer=canary-query");
}

/// Stated or not, a body over the cap is refused, and the largest one is not.
pub fn too_large_is_413(instances: &Instances, proxy: &Proxy) {
    let client = client(instances, proxy);
    let of = |len: usize| client.call(&http::request("POST", "/webhooks/standard", &[], &vec![b'x'; len]));
    assert_eq!(of(65_537).status, 413);
    let largest = of(65_536);
    assert_eq!(largest.status, 401, "read whole, and not signed: {}", largest.text());
    let mut chunked = b"POST /webhooks/standard HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..9 {
        chunked.extend(b"2000\r\n");
        chunked.extend([b'x'; 0x2000]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(client.call(&chunked).status, 413);
}

/// A head, a short body and a long one that never come to their end: each caller is told or cut off, by itself.
pub fn slow_callers_are_ended(instances: &Instances, proxy: &Proxy) {
    let head = "POST /webhooks/standard HTTP/1.1\r\nhost: a\r\n";
    let long = format!("{head}content-length: 60000\r\n\r\n{}", "x".repeat(40_000));
    let starts = [format!("{head}x-a: "), format!("{head}content-length: 100\r\n\r\nxx"), long];
    let callers = starts.map(|start| {
        let client = client(instances, proxy);
        std::thread::spawn(move || {
            let mut stream = client.connect().unwrap();
            stream.write_all(start.as_bytes()).unwrap();
            let mut said = Vec::new();
            let ended = stream.read_to_end(&mut said);
            let text = String::from_utf8_lossy(&said).into_owned();
            let timed_out = ended.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
            assert!(!timed_out, "still open, said {text}");
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
        })
    });
    for caller in callers {
        caller.join().unwrap();
    }
}

/// One address that calls itself another each time is one caller, and its neighbour is another.
pub fn who_called(instances: &Instances, proxy: &Proxy, believing: &Proxy) {
    let notice = instances.notice();
    let call = |proxy: &Proxy, from: &str, number: usize| {
        let forged = format!("X-Forwarded-For: 198.51.100.{number}, 203.0.113.{number}");
        let standard = format!("Forwarded: for=198.51.100.{number}");
        let args = ["--http1.1", "--interface", from, "-H", &forged, "-H", &standard];
        curl(proxy, instances.folder.path(), &args, &notice).1
    };
    assert!((0..20).all(|number| call(believing, "127.0.0.2", number) == 200), "believed, it is twenty callers");
    let limited = (0..200).any(|number| call(proxy, "127.0.0.3", number) == 429);
    assert!(limited, "one address made 200 calls at once");
    assert_eq!(call(proxy, "127.0.0.4", 1), 200, "its neighbour is not limited with it");
}
