//! deploy/haproxy.cfg in a real HAProxy, with two real instances behind it.

use super::edge::{Instances, Load, Proxy, curl, free_ports};
use super::{checks, shipped, text_of, with};
use crate::harness::http;
use crate::harness::tls::Client;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn start(instances: &Instances, file: &Path) -> Proxy {
    let ports = free_ports();
    let folder = instances.folder.path();
    let mut command = Command::new("haproxy");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("-f").arg(file);
    command.env("THUHO_BIND", format!("127.0.0.1:{}", ports[0])).env("THUHO_CERT", folder.join("both.pem"));
    command.env("THUHO_STATS", format!("127.0.0.1:{}", ports[1]));
    for (name, home) in ["ONE", "TWO"].into_iter().zip(&instances.homes) {
        command.env(format!("THUHO_{name}"), home.public.to_string());
        command.env(format!("THUHO_{name}_INTERNAL"), home.internal.port().to_string());
    }
    if !checks::is_root() {
        command.env("THUHO_UNPRIVILEGED", "1");
    }
    Proxy::start(command, ports, &folder.join(format!("proxy-{}.log", ports[0])))
}

/// Waits until the balancer counts so many instances as ready.
fn until_ready(proxy: &Proxy, expected: usize) {
    for _ in 0..1_500 {
        let page = proxy.page("/stats;csv");
        let up = page.lines().filter(|line| line.starts_with("instances,") && line.contains(",UP,"));
        // The group itself is a line as well.
        if up.filter(|line| !line.contains(",BACKEND,")).count() == expected {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never {expected} ready: {}", proxy.log());
}

#[test]
fn haproxy_lets_signed_notices_through_and_nothing_else() {
    let test = "haproxy_lets_signed_notices_through_and_nothing_else";
    let Some(instances) = Instances::start(test, &["haproxy", "curl"], "") else { return };
    let proxy = start(&instances, &shipped("haproxy.cfg"));
    checks::notices_over_both_versions(&instances, &proxy);
    checks::nothing_of_the_inside(&instances, &proxy);
    checks::too_large_is_413(&instances, &proxy);
    checks::slow_callers_are_ended(&instances, &proxy);
    assert!(proxy.page("/metrics").contains("haproxy_backend_status"));
    assert!(!proxy.log().contains("canary-query"), "a query is in the log: {}", proxy.log());
    instances.check_books(2);
}

#[test]
fn haproxy_says_who_called_whatever_the_caller_wrote() {
    let test = "haproxy_says_who_called_whatever_the_caller_wrote";
    let limits = "limits.peer_per_second = 1\nlimits.peer_burst = 2";
    let Some(instances) = Instances::start(test, &["haproxy", "curl"], limits) else { return };
    // The control: a proxy that passes on what the caller wrote lets it be somebody else each time.
    let believing = with(&text_of("haproxy.cfg"), "http-request set-header X-Forwarded-For %[src]\n", "\n");
    let file = instances.folder.path().join("believing.cfg");
    std::fs::write(&file, believing).unwrap();
    checks::who_called(&instances, &start(&instances, &shipped("haproxy.cfg")), &start(&instances, &file));
}

#[test]
fn haproxy_loses_no_call_while_instances_are_restarted_and_killed() {
    let test = "haproxy_loses_no_call_while_instances_are_restarted_and_killed";
    let Some(mut instances) = Instances::start(test, &["haproxy"], "") else { return };
    let proxy = start(&instances, &shipped("haproxy.cfg"));
    let client = Client::new(instances.folder.path(), proxy.to);
    let load = Load::start(&instances, &client, 2, 2);
    for which in [0, 1] {
        until_ready(&proxy, 2);
        instances.stop(which);
        instances.restart(which);
    }
    until_ready(&proxy, 2);
    let mut answered = load.end();
    assert!(answered > 100, "{answered} calls");
    // Killed: what comes after it goes to the other, before any health check has noticed.
    instances.kill(0);
    for _ in 0..20 {
        let answer = client.call(&http::webhook("standard", &instances.notice()));
        assert_eq!(answer.json()["outcome"], "unknown_invoice", "{}", answer.text());
        answered += 1;
    }
    until_ready(&proxy, 1);
    // With none left it is 503, which nobody reads as success.
    instances.kill(1);
    until_ready(&proxy, 0);
    let call = instances.notice();
    assert_eq!(client.call(&http::webhook("standard", &call)).status, 503);
    instances.restart(1);
    until_ready(&proxy, 1);
    assert_eq!(curl(&proxy, instances.folder.path(), &["--http1.1"], &call).1, 200);
    instances.check_books(answered + 1);
}
