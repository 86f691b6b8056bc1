//! deploy/nginx.conf in a real nginx, with two real instances behind it.

use super::edge::{Instances, Load, Proxy, free_ports};
use super::{checks, text_of, with};
use crate::harness::http;
use crate::harness::tls::Client;
use std::process::Command;
use std::time::Duration;

/// The lines that an installation changes, changed.
fn filled_in(instances: &Instances, [port, figures]: [u16; 2]) -> String {
    let folder = instances.folder.path().display();
    let mut text = text_of("nginx.conf");
    for (old, new) in [
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
        ("/etc/nginx/thuho.crt", format!("{folder}/server.pem")),
        ("/etc/nginx/thuho.key", format!("{folder}/server.key")),
        ("server 127.0.0.1:8080 ", format!("server {} ", instances.homes[0].public)),
        ("server 127.0.0.1:8090 ", format!("server {} ", instances.homes[1].public)),
        ("listen 127.0.0.1:8404", format!("listen 127.0.0.1:{figures}")),
        ("/run/nginx.pid", format!("{folder}/nginx-{port}.pid")),
        ("/var/log/nginx/access.log", format!("{folder}/access-{port}.log")),
        ("/var/log/nginx/error.log", format!("{folder}/error-{port}.log")),
    ] {
        text = with(&text, old, &new);
    }
    text
}

fn start(instances: &Instances, alter: impl Fn(String) -> String) -> Proxy {
    let ports = free_ports();
    let folder = instances.folder.path();
    let file = folder.join(format!("nginx-{}.conf", ports[0]));
    std::fs::write(&file, alter(filled_in(instances, ports))).unwrap();
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("-c").arg(file).args(["-g", "daemon off;"]);
    Proxy::start(command, ports, &folder.join(format!("proxy-{}.log", ports[0])))
}

#[test]
fn nginx_lets_signed_notices_through_and_nothing_else() {
    let test = "nginx_lets_signed_notices_through_and_nothing_else";
    let Some(instances) = Instances::start(test, &["nginx", "curl"], "") else { return };
    let proxy = start(&instances, |text| text);
    checks::notices_over_both_versions(&instances, &proxy);
    checks::nothing_of_the_inside(&instances, &proxy);
    checks::too_large_is_413(&instances, &proxy);
    checks::slow_callers_are_ended(&instances, &proxy);
    assert!(proxy.page("/status").contains("Active connections"));
    let log = instances.folder.path().join(format!("access-{}.log", proxy.to.port()));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("GET /webhooks/nobody HTTP/1.1") && !log.contains("canary-query"), "{log}");
    instances.check_books(2);
}

#[test]
fn nginx_says_who_called_whatever_the_caller_wrote() {
    let test = "nginx_says_who_called_whatever_the_caller_wrote";
    let limits = "limits.peer_per_second = 1\nlimits.peer_burst = 2";
    let Some(instances) = Instances::start(test, &["nginx", "curl"], limits) else { return };
    let believing = |text: String| with(&text, "proxy_set_header X-Forwarded-For $remote_addr;\n", "\n");
    checks::who_called(&instances, &start(&instances, |text| text), &start(&instances, believing));
}

#[test]
fn nginx_loses_no_call_while_instances_are_restarted_in_order_and_none_after_one_is_killed() {
    let test = "nginx_loses_no_call_while_instances_are_restarted_in_order_and_none_after_one_is_killed";
    let Some(mut instances) = Instances::start(test, &["nginx"], "") else { return };
    let proxy = start(&instances, |text| text);
    let client = Client::new(instances.folder.path(), proxy.to);
    let file = instances.folder.path().join(format!("nginx-{}.conf", proxy.to.port()));
    let text = std::fs::read_to_string(&file).unwrap();
    let load = Load::start(&instances, &client, 3, 0);
    for which in [0, 1] {
        // As the file says: down, reload, then stop.
        let line = format!("server {} ", instances.homes[which].public);
        std::fs::write(&file, with(&text, &line, &format!("{line}down "))).unwrap();
        reload(&proxy);
        instances.stop(which);
        instances.restart(which);
        std::fs::write(&file, &text).unwrap();
        reload(&proxy);
    }
    let mut answered = load.end();
    assert!(answered > 100, "{answered} calls");
    instances.kill(0);
    for _ in 0..20 {
        let answer = client.call(&http::webhook("standard", &instances.notice()));
        assert_eq!(answer.json()["outcome"], "unknown_invoice", "{}", answer.text());
        answered += 1;
    }
    instances.kill(1);
    assert_eq!(client.call(&http::webhook("standard", &instances.notice())).status, 502);
    instances.check_books(answered);
}

/// Reads its file again, and waits until only workers that know the new one are left.
fn reload(proxy: &Proxy) {
    let before = proxy.children();
    proxy.signal("-HUP");
    for _ in 0..1_500 {
        let now = proxy.children();
        if !now.is_empty() && now.iter().all(|worker| !before.contains(worker)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the old workers stay: {}", proxy.log());
}
