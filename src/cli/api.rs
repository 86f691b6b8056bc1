//! A running gateway's internal API, for commands that may not open the file that it holds.

use super::Failure;
use crate::config::EnvSecrets;
use crate::outbox::internal_client::{Call, InternalClient};
use clap::Args;
use serde_json::Value;

/// Which gateway to ask instead of opening the file.
#[derive(Clone, Debug, Args)]
pub struct RemoteArgs {
    /// The internal listener of a running gateway, such as http://127.0.0.1:8081.
    #[arg(long, value_name = "URL", requires = "token")]
    pub url: Option<String>,
    /// The name of the token's secret: env:NAME or file:PATH.
    #[arg(long, value_name = "SECRET", requires = "url")]
    pub token: Option<String>,
}

/// A running gateway.
#[derive(Debug)]
pub struct Remote {
    client: InternalClient,
    runtime: tokio::runtime::Runtime,
}

impl RemoteArgs {
    /// The gateway, if one was named.
    ///
    /// # Errors
    /// A wrong address, or a token that is not there.
    pub fn remote(&self) -> Result<Option<Remote>, Failure> {
        let (Some(url), Some(token)) = (&self.url, &self.token) else { return Ok(None) };
        let token = EnvSecrets::read(token).map_err(|e| Failure::Wrong(format!("--token: {e}")))?;
        let client = InternalClient::new(url, token).map_err(Failure::Wrong)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::Failed(format!("cannot start: {}", e.kind())))?;
        Ok(Some(Remote { client, runtime }))
    }
}

impl Remote {
    /// Makes a call; the answer's status and JSON, `null` for an empty one.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub fn call(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<(u16, Value), Failure> {
        let answered = self
            .runtime
            .block_on(self.client.call(Call { method, path, content_type, body }))
            .map_err(Failure::Failed)?;
        let json = if answered.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answered.body)
                .map_err(|_not_json| Failure::Failed(format!("{path}: the answer is not a gateway's")))?
        };
        Ok((answered.status, json))
    }

    /// What is there, as it came.
    ///
    /// # Errors
    /// No answer, or a refusal in the gateway's words.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let call = Call { method: "GET", path, content_type: "application/json", body: Vec::new() };
        let answered = self.runtime.block_on(self.client.call(call)).map_err(Failure::Failed)?;
        if (200..300).contains(&answered.status) {
            return Ok(answered.body.to_vec());
        }
        Err(refused(answered.status, &serde_json::from_slice(&answered.body).unwrap_or_default()))
    }

    /// As [`Remote::call`] with JSON, where anything but 2xx is a failure.
    ///
    /// # Errors
    /// Also a refusal, in the gateway's words.
    pub fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (status, json) = self.call(method, path, "application/json", body)?;
        if (200..300).contains(&status) { Ok(json) } else { Err(refused(status, &json)) }
    }
}

/// The gateway's own words for a refusal.
pub fn refused(status: u16, json: &Value) -> Failure {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    let words = [text("title"), text("detail")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Failure::Failed(format!("the gateway refused with {status}: {words}"))
}
