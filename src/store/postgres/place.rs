//! Where a database is and how the way to it is kept private: what `postgres://..?sslmode=..` means. Knows the password
//! and never shows it (I11).

use crate::domain::secret::Secret;
use crate::store::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long a connection may take for each host that is named, its proofs included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one host may be silent before the next one is tried.
const HOST_TIMEOUT: Duration = Duration::from_secs(2);

/// A peer that acknowledges nothing for so long is gone.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may be silent before it is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What is said of a URL that is none. It is not repeated: it may hold a password.
const EXPECTED: &str = "store.url: expected postgres://USER@HOST:PORT/DATABASE?sslmode=disable|require|verify-full";

/// How private the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// In clear.
    Clear,
    /// Encrypted, to whoever answers.
    Encrypted,
    /// Encrypted, to a server whose certificate names the host and is vouched for.
    Proved,
}

/// A database, with what is needed to reach it.
#[derive(Clone)]
pub struct PostgresPlace {
    pub(super) config: Config,
    pub(super) tls: Option<rustls::ClientConfig>,
    shown: String,
}

impl fmt::Debug for PostgresPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPlace").field("at", &self.shown).finish_non_exhaustive()
    }
}

/// Host, port and database; neither user nor password.
impl fmt::Display for PostgresPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PostgresPlace {
    /// Reads a URL. `password` counts where the URL has none; `trust_pem` are the only authorities then.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with what was expected, never with what was written.
    pub fn parse(url: &str, password: Option<&Secret>, trust_pem: Option<&[u8]>) -> Result<Self, StoreError> {
        let wrong = || StoreError::Schema(EXPECTED.to_owned());
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (modes, others): (Vec<&str>, Vec<&str>) =
            query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| pair.starts_with("sslmode="));
        let mut config: Config =
            format!("{address}?{}", others.join("&")).parse().map_err(|_may_hold_a_password| wrong())?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() || config.get_user().is_none() {
            return Err(wrong());
        }
        let privacy = match modes.as_slice() {
            [] if near(&config) => Privacy::Clear,
            [] | ["sslmode=verify-full"] => Privacy::Proved,
            ["sslmode=disable"] => Privacy::Clear,
            ["sslmode=require"] => Privacy::Encrypted,
            _ => return Err(wrong()),
        };
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password.expose());
        }
        config
            .application_name("thuho")
            .connect_timeout(HOST_TIMEOUT)
            .tcp_user_timeout(TCP_USER_TIMEOUT)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(2)
            // Of several hosts the one that may be written: a standby answers with yesterday's books.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .ssl_mode(if privacy == Privacy::Clear { SslMode::Disable } else { SslMode::Require });
        let tls = match privacy {
            Privacy::Clear => None,
            Privacy::Encrypted => Some(super::tls::unproved()?),
            Privacy::Proved => Some(super::tls::proved(roots(trust_pem)?)?),
        };
        let shown = shown(&config);
        Ok(Self { config, tls, shown })
    }
}

impl PostgresPlace {
    /// How many hosts it names.
    pub(super) fn hosts(&self) -> u32 {
        u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX)
    }
}

/// On this machine, so that nobody listens in between.
fn near(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    })
}

fn shown(config: &Config) -> String {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
    format!("postgres at {}, database {}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

/// The authorities of a PEM text, or the public ones.
fn roots(trust_pem: Option<&[u8]>) -> Result<Arc<rustls::RootCertStore>, StoreError> {
    let Some(pem) = trust_pem else {
        return Ok(Arc::new(rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())));
    };
    let wrong = || StoreError::Schema("store.trust: expected one or more PEM certificates".to_owned());
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_not_pem| wrong())?).map_err(|_not_a_certificate| wrong())?;
    }
    if roots.is_empty() { Err(wrong()) } else { Ok(Arc::new(roots)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "hunter2";

    fn place(url: &str) -> PostgresPlace {
        PostgresPlace::parse(url, None, None).unwrap()
    }

    #[test]
    fn a_url_says_how_private_the_way_is() {
        for (url, encrypted) in [
            ("postgres://u@localhost/books", false),
            ("postgresql://u:hunter2@127.0.0.1:5433/books", false),
            ("postgres://u@%2Frun%2Fpostgresql/books", false),
            ("postgres://u@db.example/books", true),
            ("postgres://u@db.example/books?sslmode=verify-full", true),
            ("postgres://u@db.example/books?sslmode=require", true),
            ("postgres://u@db.example/books?sslmode=disable", false),
            ("postgres://u@db.example/books?connect_timeout=9&sslmode=disable", false),
        ] {
            assert_eq!(place(url).tls.is_some(), encrypted, "{url}");
        }
    }

    /// I11.
    #[test]
    fn a_password_is_never_shown() {
        let secret = Secret::new(PASSWORD.into());
        let by_name = PostgresPlace::parse("postgres://u@db/books", Some(&secret), None).unwrap();
        assert_eq!(by_name.config.get_password(), Some(PASSWORD.as_bytes()));
        for shown in [&by_name, &place("postgres://u:hunter2@db:5433/books?sslmode=require")] {
            assert!(!format!("{shown} {shown:?}").contains(PASSWORD));
            assert_eq!(shown.to_string(), "postgres at db, database books");
        }
        for wrong in [
            "postgres://u:hunter2@/books",
            "postgres://u:hunter2@db",
            "postgres://u:hunter2@db/books?sslmode=hunter2",
            "postgres://u:hunter2@db:port/books",
            "postgres://u:hunter2@db/books?sslmode=disable&sslmode=require",
        ] {
            let refused = PostgresPlace::parse(wrong, None, None).unwrap_err().to_string();
            assert!(refused.starts_with("store.url: expected postgres://") && !refused.contains(PASSWORD), "{refused}");
        }
        let refused = PostgresPlace::parse("postgres://u@db/books", None, Some(b"hunter2")).unwrap_err().to_string();
        assert_eq!(refused, "store.trust: expected one or more PEM certificates");
    }
}
