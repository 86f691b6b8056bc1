//! Logs and metrics. A log line is a sentence with its facts as fields; never a body, a key or a payer (I11). Metrics
//! are rendered on the internal listener only; labels come from profiles and closed lists.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Text,
}

/// Starts logging to standard error and makes a panic a log line without its text, which may quote data. A second
/// call changes nothing.
///
/// # Errors
/// A filter that is none.
pub fn start_logs(format: Format, filter: &str) -> Result<(), String> {
    let bad = || "log.level: expected error, warn, info, debug, trace, or a filter".to_owned();
    let filter = EnvFilter::try_new(filter).map_err(|_bad_filter| bad())?;
    // More talkative, the driver writes down the values of every row (I11).
    let filter = filter.add_directive("tokio_postgres=warn".parse().map_err(|_bad_directive| bad())?);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match format {
        Format::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        Format::Text => lines.try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of ours: a panic was stopped here");
    }));
    Ok(())
}

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts counting; one recorder a process, however many gateways it holds.
///
/// # Panics
/// Never: the builder with fixed, non-empty buckets cannot fail.
pub fn start_metrics() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        // Milliseconds that tell a flush from a queue and a queue from a stall.
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .unwrap_or_else(|_no_buckets| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("somebody else counts already; the metrics page stays empty");
        }
        handle
    })
}

/// Folds what was recorded since the last time into its buckets: until then each measurement is kept by itself, so a
/// gateway that nobody asks for its page calls this now and then.
pub fn settle_metrics() {
    start_metrics().run_upkeep();
}

/// The metrics page.
#[must_use]
pub fn render_metrics() -> String {
    let handle = start_metrics();
    handle.run_upkeep();
    handle.render()
}
