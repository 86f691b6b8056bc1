//! Where markers are kept, read from `seen.url`.

/// One server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Where markers are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    Memory,
    /// In one Redis.
    Redis {
        /// Its address.
        node: Node,
        /// With TLS?
        tls: bool,
        /// Database number.
        db: i64,
    },
    /// In the Redis that the sentinels name.
    Sentinel {
        /// The sentinels.
        nodes: Vec<Node>,
        /// Their name for the group.
        master: String,
        /// TLS to the Redis that they name?
        tls: bool,
        /// Database number.
        db: i64,
    },
}

/// Redis's usual port.
const REDIS_PORT: u16 = 6379;
/// The sentinels' usual port.
const SENTINEL_PORT: u16 = 26379;

impl Place {
    /// From `memory`, `redis[s]://HOST[:PORT][/DB]` or `redis[s]+sentinel://HOST[:PORT],.../MASTER[/DB]`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(url: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected memory, redis://HOST:PORT/DB, rediss://HOST:PORT/DB or \
                                redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB";
        if url == "memory" {
            return Ok(Self::Memory);
        }
        let (scheme, rest) = url.split_once("://").ok_or(EXPECTED)?;
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let db = |text: &str| -> Result<i64, String> {
            if text.is_empty() { Ok(0) } else { text.parse().map_err(|_not_a_number| EXPECTED.to_owned()) }
        };
        let nodes = |port| hosts.split(',').map(|host| node(host, port)).collect::<Option<Vec<_>>>();
        match scheme {
            "redis" | "rediss" => Ok(Self::Redis {
                node: node(hosts, REDIS_PORT).ok_or(EXPECTED)?,
                tls: scheme == "rediss",
                db: db(path)?,
            }),
            "redis+sentinel" | "rediss+sentinel" => {
                let (master, db_text) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(EXPECTED.to_owned());
                }
                Ok(Self::Sentinel {
                    nodes: nodes(SENTINEL_PORT).ok_or(EXPECTED)?,
                    master: master.to_owned(),
                    tls: scheme == "rediss+sentinel",
                    db: db(db_text)?,
                })
            }
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

fn node(text: &str, usual_port: u16) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(usual_port), |port| port.parse().ok())?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    let right = !host.is_empty() && host.bytes().all(plain);
    right.then(|| Node { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<Place>) {
        assert_eq!(Place::parse(url).ok(), expected, "{url}");
    }

    fn at(host: &str, port: u16) -> Node {
        Node { host: host.to_owned(), port }
    }

    #[test]
    fn every_kind_of_address_is_read() {
        check("memory", Some(Place::Memory));
        check("redis://h", Some(Place::Redis { node: at("h", 6379), tls: false, db: 0 }));
        check("rediss://h:7/3", Some(Place::Redis { node: at("h", 7), tls: true, db: 3 }));
        check("redis://[::1]:7/0", Some(Place::Redis { node: at("::1", 7), tls: false, db: 0 }));
        let nodes = vec![at("a", 26379), at("b", 9)];
        let sentinel = |db| Place::Sentinel { nodes: nodes.clone(), master: "m".to_owned(), tls: false, db };
        check("redis+sentinel://a,b:9/m", Some(sentinel(0)));
        check("redis+sentinel://a,b:9/m/2", Some(sentinel(2)));
        for wrong in
            ["", "redis", "redis://", "redis://h:x", "redis://h/x", "redis+sentinel://a", "http://h", "redis://h h"]
        {
            check(wrong, None);
        }
    }
}
