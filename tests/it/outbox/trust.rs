//! Who may vouch for the core: a company's own authority when `core.trust` names it, and then nobody else.

use super::rig::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::sync::Arc;
use thuho::domain::secret::Secret;
use thuho::outbox::{CoreClient, CoreOptions, Forwarder, ForwarderOptions};

/// Made for these tests: an authority, and a core at 127.0.0.1 that it vouches for.
const AUTHORITY: &str = include_str!("tls/ca.pem");
const CORE: &str = include_str!("tls/core.pem");
const CORE_KEY: &str = include_str!("tls/core.key");

/// A core that speaks TLS and says 200 to each call.
fn tls_core() -> String {
    let chain = vec![CertificateDer::from_pem_slice(CORE.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(CORE_KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/billing", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(connection, stream.unwrap());
            // A stranger to our authority ends the handshake: the next one is waited for.
            if tls.read(&mut [0; 4_096]).is_ok() {
                drop(tls.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
                drop(tls.flush());
            }
        }
    });
    url
}

fn forwarder(rig: &Rig, url: &str, trust_pem: Option<&str>) -> Forwarder {
    let options = ForwarderOptions { waits: WAITS, timeout_ms: 2_000, ..ForwarderOptions::default() };
    let core = CoreClient::new(&CoreOptions {
        url: url.to_owned(),
        secret: Secret::new(SECRET.as_bytes().to_vec()),
        timeout_ms: options.timeout_ms,
        trust_pem: trust_pem.map(|pem| pem.as_bytes().to_vec()),
    });
    Forwarder::new(rig.writer.clone(), Arc::new(core.unwrap()), rig.clock.clone(), options)
}

#[tokio::test]
async fn a_core_that_only_the_companys_authority_vouches_for_is_told_when_it_is_named() {
    let rig = Rig::new();
    let url = tls_core();
    rig.pay(&["HD-1"], false).await;
    let public_only = forwarder(&rig, &url, None).forward_once().await.unwrap();
    assert_eq!(public_only.written.paused.as_deref(), Some("tls"));
    rig.clock.advance_ms(13_000);
    assert_eq!(delivered(&forwarder(&rig, &url, Some(AUTHORITY)).forward_once().await.unwrap()), (1, 1));
}
