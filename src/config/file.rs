//! The file as written: every section and key with its default. What it means is the parent's.

use serde::{Deserialize, Serialize};

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

sections! {
    /// The file as written.
    ConfigFile {
        /// Addresses.
        listen: ListenFile = ListenFile::default(),
        /// This installation and instance.
        server: ServerFile = ServerFile::default(),
        /// Bounds.
        limits: LimitsFile = LimitsFile::default(),
        /// The books.
        store: StoreFile = StoreFile::default(),
        /// Signing of chains and markers.
        seal: SealFile = SealFile::default(),
        /// The hint.
        seen: SeenFile = SeenFile::default(),
        /// The billing core.
        core: CoreFile = CoreFile::default(),
        /// The profiles.
        partners: PartnersFile = PartnersFile::default(),
        /// Settlement.
        finance: FinanceFile = FinanceFile::default(),
        /// Logs.
        log: LogFile = LogFile::default(),
        /// Stopping.
        drain: DrainFile = DrainFile::default(),
        /// Callers of the internal API.
        token: Vec<TokenFile> = Vec::new(),
    }
    /// `[listen]`
    ListenFile {
        /// Collectors' address.
        public: String = "127.0.0.1:8080".to_owned(),
        /// Our own side's address.
        internal: String = "127.0.0.1:8081".to_owned(),
        /// Threads of the public listener.
        workers: usize = 0,
        /// Open connections per worker.
        connections_max: usize = 25_000,
        /// CIDRs of believed proxies.
        trusted_proxies: Vec<String> = Vec::new(),
    }
    /// `[server]`
    ServerFile {
        /// Name of the installation.
        environment: String = "production".to_owned(),
        /// Number of this writer's chain.
        lane: u32 = 0,
    }
    /// `[limits]`
    LimitsFile {
        /// Bytes of a collector's body.
        body_bytes: usize = 65_536,
        /// Milliseconds for it.
        body_deadline_ms: u64 = 5_000,
        /// Calls a second of one address.
        peer_per_second: u32 = 2_000,
        /// At once.
        peer_burst: u32 = 4_000,
        /// Calls a second of all.
        total_per_second: u32 = 20_000,
        /// At once.
        total_burst: u32 = 40_000,
        /// Addresses told apart.
        peers_max: usize = 100_000,
        /// Notices waiting for the writer.
        queue: usize = 8_192,
        /// Notices in one commit.
        batch: usize = 256,
        /// Unproved calls kept per partner and reason.
        quarantine: usize = 64,
        /// Of one address a minute.
        quarantine_per_peer: u32 = 10,
        /// Stale calls of one partner a minute that raise the alarm.
        stale_alarm: u32 = 20,
        /// Bytes of an import.
        import_bytes: u64 = 2_147_483_648,
        /// Collectors' questions waiting.
        inquiries: usize = 1_024,
        /// Reading connections for them.
        inquiry_readers: usize = 2,
        /// Our own questions waiting.
        questions: usize = 1_024,
        /// Reading connections for them.
        readers: usize = 2,
    }
    /// `[store]`
    StoreFile {
        /// Where the books are.
        url: String = "sqlite://thuho.db".to_owned(),
        /// Name of the secret with the password of a server's user.
        password: String = String::new(),
        /// Name of the certificates that alone may vouch for a server; empty for the public ones.
        trust: String = String::new(),
    }
    /// `[seal]`
    SealFile {
        /// Name of the signing secret.
        secret: String = "env:THUHO_SEAL_SECRET".to_owned(),
        /// Seconds between seals.
        every_s: u64 = 60,
    }
    /// `[seen]`
    SeenFile {
        /// `memory` or Redis.
        url: String = "memory".to_owned(),
        /// Redis user.
        username: String = String::new(),
        /// Name of the password's secret.
        password: String = String::new(),
        /// Name of the certificates that alone may vouch for it; empty for the public ones.
        trust: String = String::new(),
        /// Events kept in memory.
        entries: usize = 200_000,
        /// Seconds a marker lives.
        ttl_s: u64 = 345_600,
        /// Milliseconds for an answer.
        timeout_ms: u64 = 50,
        /// Milliseconds for a connection.
        connect_ms: u64 = 1_000,
        /// Failures that open the breaker.
        breaker_failures: u32 = 3,
        /// Milliseconds it stays open.
        breaker_ms: u64 = 1_000,
        /// Markers waiting.
        pending: usize = 10_000,
    }
    /// `[core]`
    CoreFile {
        /// Where messages go; empty for nowhere.
        url: String = String::new(),
        /// Name of the signing secret.
        secret: String = "env:THUHO_CORE_SECRET".to_owned(),
        /// Name of the certificates that alone may vouch for it; empty for the public ones.
        trust: String = String::new(),
    }
    /// `[partners]`
    PartnersFile {
        /// Folder of profiles.
        dir: String = "config/partners".to_owned(),
    }
    /// `[finance]`
    FinanceFile {
        /// File of the days on which banks work; empty for weekends alone.
        calendar: String = String::new(),
        /// Folder in which others drop statements; empty for none.
        inbox: String = String::new(),
        /// Seconds between two looks into it.
        inbox_every_s: u64 = 60,
    }
    /// `[log]`
    LogFile {
        /// `json` or `text`.
        format: String = "json".to_owned(),
        /// Filter.
        level: String = "info".to_owned(),
    }
    /// `[drain]`
    DrainFile {
        /// Milliseconds of "not ready" before accepting ends.
        ready_ms: u64 = 3_000,
        /// Seconds for calls in progress.
        finish_s: u64 = 20,
    }
}

/// `[[token]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// Who, for the log.
    pub name: String,
    /// What it may do.
    pub scope: Vec<String>,
    /// Name of the secret.
    pub secret: String,
}
