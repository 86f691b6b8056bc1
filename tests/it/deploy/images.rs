//! deploy/Dockerfile and deploy/compose.yaml as texts: no container engine builds or starts them here, so what can be
//! wrong without one is looked for, and each rule finds its control.

use super::{shipped, text_of, with};
use std::collections::BTreeSet;
use std::path::Path;
use thuho::config::Config;
use yaml_rust2::{Yaml, YamlLoader};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a Dockerfile: word and rest.
fn steps(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, "")))
}

/// An image of others has a tag that says which line of releases it is.
fn is_pinned(image: &str) -> bool {
    image.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

fn of_dockerfile(text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let (mut stages, mut user): (BTreeSet<&str>, _) = (BTreeSet::new(), "");
    for (word, rest) in steps(text) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match word {
            "FROM" => {
                user = "";
                if !stages.contains(words[0]) && !is_pinned(words[0]) {
                    findings.push(format!("FROM {rest}: no tag"));
                }
                stages.extend(words.iter().position(|w| *w == "AS").map(|at| words[at + 1]));
            }
            "COPY" => {
                let from = words[0].strip_prefix("--from=");
                if from.is_some_and(|stage| !stages.contains(stage)) {
                    findings.push(format!("COPY {rest}: no such stage"));
                }
                let sources = &words[..words.len() - 1];
                let missing = |source: &&&str| !root().join(source).exists();
                if from.is_none() && sources.iter().any(|s| missing(&s)) {
                    findings.push(format!("COPY {rest}: no such file"));
                }
            }
            "USER" => user = rest,
            "ENTRYPOINT" | "CMD" if !rest.starts_with('[') => findings.push(format!("{word} {rest}: needs a shell")),
            "ENTRYPOINT" | "CMD" | "RUN" | "WORKDIR" | "EXPOSE" | "STOPSIGNAL" => {}
            _ => findings.push(format!("{word}: not looked at here")),
        }
    }
    if user.is_empty() || ["root", "0"].contains(&user.split(':').next().unwrap()) {
        findings.push("the last stage runs as root".to_owned());
    }
    findings
}

#[test]
fn the_dockerfile_is_whole_and_ends_without_root() {
    let text = text_of("Dockerfile");
    assert_eq!(of_dockerfile(&text), [""; 0]);
    for (old, new) in [
        ("USER 65532:65532", "USER root"),
        ("USER 65532:65532\n", "\n"),
        ("--from=build", "--from=builder"),
        ("COPY src src", "COPY source src"),
        ("rust:1.95-bookworm", "rust"),
        ("ENTRYPOINT [\"/usr/local/bin/thuho\"]", "ENTRYPOINT thuho"),
        ("STOPSIGNAL SIGTERM", "ENV TOKEN=x"),
    ] {
        assert_eq!(of_dockerfile(&with(&text, old, new)).len(), 1, "{old}");
    }
    // What it builds from is all that cargo asks for, and the manifest's compiler is the image's.
    let folder = tempfile::tempdir().unwrap();
    for (_, rest) in steps(&text).filter(|(word, rest)| *word == "COPY" && !rest.starts_with("--from")) {
        let (sources, _) = rest.rsplit_once(' ').unwrap();
        let sources: Vec<_> = sources.split(' ').map(|source| root().join(source)).collect();
        assert!(
            std::process::Command::new("cp").arg("-r").args(sources).arg(folder.path()).status().unwrap().success()
        );
    }
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"]).current_dir(folder.path());
    let said = cargo.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let rust = format!("rust:{}-", env!("CARGO_PKG_RUST_VERSION"));
    assert!(text.contains(&rust), "{rust}");
}

/// A value of a mapping, through `<<`.
fn get<'a>(map: &'a Yaml, key: &str) -> &'a Yaml {
    match &map[key] {
        Yaml::BadValue => match &map["<<"] {
            Yaml::BadValue => &Yaml::BadValue,
            shared => get(shared, key),
        },
        value => value,
    }
}

/// The names in a list, or the keys of a mapping.
fn names(value: &Yaml) -> Vec<String> {
    let text = |y: &Yaml| y.as_str().or_else(|| y["source"].as_str()).map(str::to_owned);
    match value {
        Yaml::Array(items) => items.iter().filter_map(text).collect(),
        Yaml::Hash(map) => map.keys().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

/// Name and value of the variables that a service gets.
fn environment(service: &Yaml) -> Vec<(String, String)> {
    let map = get(service, "environment").as_hash().cloned().unwrap_or_default();
    let pair = |(k, v): (Yaml, Yaml)| Some((k.into_string()?, v.into_string()?));
    map.into_iter().filter_map(pair).collect()
}

fn of_compose(text: &str) -> Vec<String> {
    let all = YamlLoader::load_from_str(text).unwrap().remove(0);
    let mut findings = Vec::new();
    let services = all["services"].as_hash().unwrap();
    let declared = names(&all["secrets"]);
    for name in &declared {
        if all["secrets"][name.as_str()]["file"].as_str() != Some(&format!("./secrets/{name}")) {
            findings.push(format!("secret {name}: no file in deploy/secrets"));
        }
    }
    for (name, service) in services {
        let name = name.as_str().unwrap();
        let mut find = |problem: String| findings.push(format!("{name}: {problem}"));
        let image = get(service, "image").as_str().unwrap_or_default();
        if get(service, "build").is_badvalue() && !is_pinned(image) {
            find(format!("image {image} has no tag"));
        }
        for mount in names(get(service, "volumes")).iter().filter(|mount| mount.starts_with('.')) {
            let from = mount.split(':').next().unwrap();
            if !root().join("deploy").join(from).exists() || !mount.ends_with(":ro") {
                find(format!("{mount}: not there, or not read-only"));
            }
        }
        let given = names(get(service, "secrets"));
        given.iter().filter(|s| !declared.contains(s)).for_each(|s| find(format!("no secret {s}")));
        for (key, value) in environment(service) {
            let word = |w: &str| key.contains(w) && !key.ends_with("_URL");
            let path = value.strip_prefix("file:").unwrap_or(&value).strip_prefix("/run/secrets/");
            if ["PASSWORD", "SECRET", "TOKEN", "CERT"].into_iter().any(word) && path.is_none() {
                find(format!("{key} is no file"));
            }
            if path.is_some_and(|path| !given.iter().any(|s| s == path)) {
                find(format!("{key} names a secret that it is not given"));
            }
        }
        for before in names(get(service, "depends_on")) {
            if !services.contains_key(&Yaml::String(before.clone())) {
                find(format!("waits for {before}, which is none"));
            }
        }
        if get(service, "restart").is_badvalue() {
            find("is not started again".to_owned());
        }
        if get(service, "healthcheck").is_badvalue() && image != "thuho:local" {
            find("no health check".to_owned());
        }
        if !get(service, "ports").is_badvalue() && name != "haproxy" {
            find("is open to the outside".to_owned());
        }
    }
    findings
}

#[test]
fn the_compose_file_names_what_there_is_and_holds_no_secret() {
    let text = text_of("compose.yaml");
    assert_eq!(of_compose(&text), [""; 0]);
    for (old, new) in [
        ("image: redis:7.0-bookworm", "image: redis"),
        ("./haproxy.cfg:/usr", "./haproxy.conf:/usr"),
        ("POSTGRES_PASSWORD_FILE: /run/secrets/database", "POSTGRES_PASSWORD: hunter2"),
        ("secrets: [certificate.pem]", "secrets: []"),
        ("depends_on: [one, two]", "depends_on: [one, three]"),
        ("    secrets: [database]\n    # The server's", "    secrets: [database]\n    ports: [\"5432:5432\"]\n    #"),
        ("  seal: {file: ./secrets/seal}", "  seal: {file: /etc/passwd}"),
    ] {
        assert!(!of_compose(&with(&text, old, new)).is_empty(), "{old}");
    }
}

/// The instances' variables are keys that exist, with values that are taken; their addresses are the ones HAProxy calls.
#[test]
fn the_compose_files_instances_start_with_what_they_are_given() {
    let all = YamlLoader::load_from_str(&text_of("compose.yaml")).unwrap().remove(0);
    let (services, folder) = (&all["services"], tempfile::tempdir().unwrap());
    for name in names(&all["secrets"]) {
        std::fs::write(folder.path().join(name), "0123456789abcdef0123456789abcdef").unwrap();
    }
    std::fs::copy(root().join("tests/it/outbox/tls/ca.pem"), folder.path().join("ca.pem")).unwrap();
    let file = std::fs::read_to_string(root().join("config/gateway.toml")).unwrap();
    for name in ["one", "two", "migrate"] {
        let here = |value: String| value.replace("/run/secrets", &folder.path().display().to_string());
        let given = environment(&services[name]).into_iter().map(|(key, value)| (key, here(value)));
        let config = Config::of(&shipped("compose.yaml"), &file, given).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(config.internal.port(), 8_081);
        let stop = get(&services[name], "stop_grace_period").as_str().unwrap().trim_end_matches('s').to_owned();
        assert!(stop.parse::<u64>().unwrap() > 2 * config.file.drain.finish_s);
        let proxy = services["haproxy"]["networks"]["inside"]["ipv4_address"].as_str().unwrap();
        assert!(config.trusted_proxies.iter().all(|net| net.to_string() == format!("{proxy}/32")), "{proxy}");
        if let Some(address) = services[name]["networks"]["inside"]["ipv4_address"].as_str() {
            let balanced = environment(&services["haproxy"]);
            let key = format!("THUHO_{}", name.to_uppercase());
            let called = balanced.iter().find(|(k, _)| *k == key).unwrap();
            assert_eq!(called.1, format!("{address}:{}", config.public.port()));
        }
    }
}
