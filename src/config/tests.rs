//! What a configuration may say, and how a wrong one is named (I11: never with a value).

use super::*;

const SHIPPED: &str = include_str!("../../config/gateway.toml");

fn check(text: &str, overrides: &[(&str, &str)]) -> Result<Config, String> {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
    let seal = format!("file:{}", secret.path().display());
    let mut all = vec![("THUHO_SEAL__SECRET".to_owned(), seal)];
    all.extend(overrides.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    Config::of(Path::new("gateway.toml"), text, all).map_err(|e| e.to_string())
}

#[test]
fn the_shipped_file_lists_every_key_with_its_default() {
    let read: ConfigFile = toml::from_str(SHIPPED).unwrap();
    assert_eq!(read, ConfigFile::default());
    let written: toml::Table = SHIPPED.parse().unwrap();
    let defaults = toml::Table::try_from(ConfigFile::default()).unwrap();
    for (section, keys) in defaults.iter().filter(|(section, _)| *section != "token") {
        for key in keys.as_table().unwrap().keys() {
            assert!(written.get(section).and_then(|s| s.get(key)).is_some(), "{section}.{key} is not listed");
        }
    }
    check(SHIPPED, &[]).unwrap();
}

#[test]
fn a_misspelt_key_is_named_with_file_line_and_key() {
    let error = check("[listen]\n\n[store]\nurll = \"sqlite://x\"\n", &[]).unwrap_err();
    assert!(error.starts_with("gateway.toml:4: store.urll: unknown field `urll`, expected one of `url`"), "{error}");
}

#[test]
fn a_wrong_type_is_named_with_file_line_and_key() {
    let error = check("[limits]\nqueue = \"many\"\n", &[]).unwrap_err();
    assert!(error.starts_with("gateway.toml:2: limits.queue: invalid type"), "{error}");
}

#[test]
fn the_environment_overrides_by_section_and_key() {
    let config = check("", &[("THUHO_STORE__URL", "sqlite://other.db"), ("THUHO_LIMITS__QUEUE", "7")]).unwrap();
    assert_eq!(config.store.to_string(), "other.db");
    assert_eq!(config.file.limits.queue, 7);
    let config = check("", &[("THUHO_LISTEN__TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")]).unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
}

#[test]
fn a_misspelt_override_is_an_error_that_names_it() {
    let error = check("", &[("THUHO_STORE__URLL", "x")]).unwrap_err();
    assert_eq!(error, "environment variable THUHO_STORE__URLL: store.urll: no such key");
    let error = check("", &[("THUHO_LIMITS__QUEUE", "x")]).unwrap_err();
    assert_eq!(error, "environment variable THUHO_LIMITS__QUEUE: limits.queue: expected a whole number");
}

#[test]
fn a_variable_without_two_underscores_is_no_override() {
    check("", &[("THUHO_SEAL_SECRET", "x"), ("THUHO_CRASH_POINT", "x")]).unwrap();
}

#[test]
fn a_secret_written_as_a_value_is_refused_and_never_shown() {
    for text in ["[seal]\nsecret = \"hunter2hunter2hunter2\"\n", "[core]\nurl=\"http://x\"\nsecret = \"hunter2\"\n"] {
        let error = Config::of(Path::new("gateway.toml"), text, []).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("env:NAME or file:PATH") || error.contains("seal"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = check("[seen]\nurl = \"redis://u:hunter2@h/0\"\n", &[]).unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    for url in ["postgres://u:hunter2@h", "postgres://u:hunter2@h/b?sslmode=hunter2", "hunter2://x"] {
        let error = check(&format!("[store]\nurl = \"{url}\"\n"), &[]).unwrap_err();
        assert!(error.starts_with("gateway.toml:2: store.url: expected ") && !error.contains("hunter2"), "{error}");
    }
    let config = check("[store]\nurl = \"postgres://u:hunter2@h/b\"\n", &[]).unwrap();
    assert!(!config.store.to_string().contains("hunter2"));
}

#[test]
fn a_short_secret_and_a_zero_limit_are_refused() {
    let short = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(short.path(), "short").unwrap();
    let name = format!("file:{}", short.path().display());
    assert!(check("", &[("THUHO_SEAL__SECRET", &name)]).unwrap_err().contains("at least 16 bytes"));
    assert!(check("[limits]\nqueue = 0\n", &[]).unwrap_err().contains("gateway.toml:2: limits.queue"));
}

#[test]
fn a_token_needs_a_known_scope_and_a_secret_of_its_own() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "a-token-of-thirty-two-characters").unwrap();
    let token = |name: &str, scope: &str| {
        format!("[[token]]\nname = \"{name}\"\nscope = [\"{scope}\"]\nsecret = \"file:{}\"\n", secret.path().display())
    };
    assert_eq!(check(&token("a", "read"), &[]).unwrap().tokens.len(), 1);
    assert!(check(&token("a", "reed"), &[]).unwrap_err().contains("token.scope"));
    let twice = format!("{}{}", token("a", "read"), token("b", "ops"));
    assert!(check(&twice, &[]).unwrap_err().contains("another token's secret"));
}

#[test]
fn who_may_vouch_for_the_core_is_checked_with_the_key_that_names_it() {
    let file = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    };
    let secret = file("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let core = |url: &str, trust: &str| {
        let text =
            format!("[core]\nurl = \"{url}\"\nsecret = \"file:{}\"\ntrust = \"{trust}\"\n", secret.path().display());
        check(&text, &[]).map(|config| config.core.unwrap().trust_pem)
    };
    let named = |file: &tempfile::NamedTempFile| format!("file:{}", file.path().display());
    let authority = file(include_str!("../../tests/it/outbox/tls/ca.pem"));
    assert!(core("https://core.example/in", &named(&authority)).unwrap().is_some());
    assert_eq!(core("https://core.example/in", "").unwrap(), None);

    let expected = "gateway.toml:4: core.trust: expected one or more PEM certificates";
    for wrong in ["hunter2", "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----"] {
        assert_eq!(core("https://core.example/in", &named(&file(wrong))).unwrap_err(), expected);
    }
    let gone = core("https://core.example/in", "file:/nowhere/ca.pem").unwrap_err();
    assert!(gone.starts_with("gateway.toml:4: core.trust: cannot read") && gone.contains("/nowhere/ca.pem"), "{gone}");
    let text = core("https://core.example/in", "hunter2").unwrap_err();
    assert!(text.starts_with("gateway.toml:4: core.trust: expected") && !text.contains("hunter2"), "{text}");
    let plain = core("http://core.example/in", &named(&authority)).unwrap_err();
    assert!(
        plain.starts_with("gateway.toml:4: core.trust: expected an address in core.url that begins with https://"),
        "{plain}"
    );
}

#[test]
fn who_may_vouch_for_redis_is_checked_with_the_key_that_names_it() {
    let seen = |url: &str, trust: &str| {
        let text = format!("[seen]\nurl = \"{url}\"\ntrust = \"{trust}\"\n");
        check(&text, &[]).map(|config| config.seen().unwrap().trust_pem.is_some())
    };
    let authority = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/tests/it/outbox/tls/ca.pem");
    assert_eq!(seen("rediss://redis.example/0", authority), Ok(true));
    assert_eq!(seen("rediss+sentinel://redis.example/books/0", authority), Ok(true));
    assert_eq!(seen("rediss://redis.example/0", ""), Ok(false));
    let expected = "gateway.toml:3: seen.trust: expected an address in seen.url that begins with rediss://";
    for plain in ["memory", "redis://redis.example/0", "redis+sentinel://redis.example/books/0"] {
        assert!(seen(plain, authority).unwrap_err().starts_with(expected), "{plain}");
    }
    let key = concat!("file:", env!("CARGO_MANIFEST_DIR"), "/tests/it/outbox/tls/core.key");
    let wrong = seen("rediss://redis.example/0", key).unwrap_err();
    assert_eq!(wrong, "gateway.toml:3: seen.trust: expected one or more PEM certificates");
}
