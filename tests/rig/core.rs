//! A billing core of the rig's own: proves each message's signature with its own code, applies a key once, keeps a
//! journal, and misbehaves now and then (refuses, hangs up after it applied, says 409 to a key it knows).

use crate::chance::Chance;
use crate::wire;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the core was told and took.
#[derive(Clone, Debug)]
pub struct Told {
    pub key: String,
    pub kind: String,
    pub payment: String,
    pub invoice: String,
    pub amount: i64,
    pub body: String,
}

/// The core's books.
#[derive(Default)]
pub struct Journal {
    pub taken: Vec<Told>,
    pub by_key: HashMap<String, usize>,
    /// Complaints: wrong signatures, one key with two bodies.
    pub wrong: Vec<String>,
    /// Calls of any kind, repeats included.
    pub calls: u64,
}

/// A running core.
pub struct Core {
    pub address: SocketAddr,
    pub journal: Arc<Mutex<Journal>>,
}

impl Core {
    /// Starts to listen; it lives as long as the process.
    pub fn start(secret: &'static str, seed: u64, misbehave: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Mutex::new(Journal::default()));
        let books = Arc::clone(&journal);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let books = Arc::clone(&books);
                let seed = seed ^ u64::try_from(number).unwrap_or(0);
                std::thread::spawn(move || serve(&stream, &books, secret, Chance::of(seed), misbehave));
            }
        });
        Ok(Self { address, journal })
    }
}

fn serve(stream: &TcpStream, books: &Mutex<Journal>, secret: &str, mut chance: Chance, misbehave: bool) {
    let mut reader = BufReader::new(stream);
    while let Some((headers, body)) = read(&mut reader) {
        let mood = if misbehave { chance.below(100) } else { 100 };
        if mood < 4 {
            let refusal = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
            if (&mut &*stream).write_all(refusal.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        let fresh = take(&headers, &body, secret, &mut books.lock().expect("no thread of the core panics"));
        if mood < 6 {
            return; // applied, and the answer is lost
        }
        let id = headers.get("webhook-id").cloned().unwrap_or_default();
        let (line, text) = match fresh {
            Taken::Wrong => ("400 Bad Request", String::new()),
            Taken::Known if mood % 2 == 0 => ("409 Conflict", format!("{{\"webhook-id\":\"{id}\"}}")),
            Taken::Known | Taken::Fresh => ("200 OK", "{}".to_owned()),
        };
        let reply = format!(
            "HTTP/1.1 {line}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        if (&mut &*stream).write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

type Headers = HashMap<String, String>;

fn read(reader: &mut BufReader<&TcpStream>) -> Option<(Headers, Vec<u8>)> {
    let mut headers = Headers::new();
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((headers, body))
}

enum Taken {
    Fresh,
    Known,
    Wrong,
}

fn take(headers: &Headers, body: &[u8], secret: &str, journal: &mut Journal) -> Taken {
    let of = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let (key, sent_at, signatures) = (of("webhook-id"), of("webhook-timestamp"), of("webhook-signature"));
    journal.calls += 1;
    let right = wire::standard_signature(secret, &key, &sent_at, body);
    let text = String::from_utf8_lossy(body).into_owned();
    if !signatures.split(' ').any(|s| s == right) {
        journal.wrong.push(format!("{key}: the signature is not ours"));
        return Taken::Wrong;
    }
    if let Some(known) = journal.by_key.get(&key).and_then(|at| journal.taken.get(*at)) {
        if known.body != text {
            journal.wrong.push(format!("{key}: said twice with different bodies"));
        }
        return Taken::Known;
    }
    let Ok(message) = serde_json::from_str::<Value>(&text) else {
        journal.wrong.push(format!("{key}: not JSON"));
        return Taken::Wrong;
    };
    let text_at = |path: &str| message.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
    let told = Told {
        kind: text_at("/type"),
        payment: text_at("/data/payment"),
        invoice: text_at("/data/invoice_id"),
        amount: message.pointer("/data/amount").and_then(Value::as_i64).unwrap_or(-1),
        key: key.clone(),
        body: text,
    };
    journal.by_key.insert(key, journal.taken.len());
    journal.taken.push(told);
    Taken::Fresh
}
