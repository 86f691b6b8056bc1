//! `[[fee]]` and `[[settlement]]` entries as their TOML file writes them: nothing understood yet. A percentage is a text,
//! so that it never was a float.

use super::{Counted, Fees, Reversals, Rounding};
use serde::Deserialize;

/// One `[[fee]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::partner) struct FeeFile {
    pub(super) from: String,
    /// The same for every amount, without tiers.
    pub(super) fixed: Option<i64>,
    pub(super) percent: Option<String>,
    #[serde(default)]
    pub(super) tiers: Vec<TierFile>,
    #[serde(default)]
    pub(super) minimum: i64,
    pub(super) maximum: Option<i64>,
    pub(super) vat: Option<String>,
    pub(super) rounding: Rounding,
    #[serde(default)]
    pub(super) reversals: Reversals,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierFile {
    pub(super) up_to: Option<i64>,
    #[serde(default)]
    pub(super) fixed: i64,
    pub(super) percent: Option<String>,
}

/// One `[[settlement]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::partner) struct SettlementFile {
    pub(super) from: String,
    pub(super) fees: Fees,
    pub(super) cycle: String,
    #[serde(default)]
    pub(super) counted: Counted,
    pub(super) batch: String,
    pub(super) promotion: Option<PromotionFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromotionFile {
    pub(super) partner: String,
    pub(super) utility: String,
}
