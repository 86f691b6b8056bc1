//! A profile as its TOML file writes it: the closed vocabulary, nothing understood yet. Unknown keys are errors.
//! What the parts mean together is `profile`'s judgement.

use super::refund::RefundFile;
use super::settlement::{FeeFile, SettlementFile};
use super::statement::StatementFile;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub(super) partner: String,
    pub(super) about: String,
    #[serde(default)]
    pub(super) protocol: bool,
    /// Why the file is not the partner's word yet.
    pub(super) provisional: Option<String>,
    #[serde(default)]
    pub(super) method: MethodFile,
    #[serde(default)]
    pub(super) content_types: Vec<String>,
    pub(super) timezone: String,
    pub(super) on_mismatch: OnMismatchFile,
    pub(super) reversal_window_hours: Option<i64>,
    pub(super) answer_deadline_ms: i64,
    #[serde(default)]
    pub(super) allow_legacy: bool,
    #[serde(default)]
    pub(super) unsigned: Vec<String>,
    pub(super) signature: SignatureFile,
    #[serde(default)]
    pub(super) key: Vec<KeyFile>,
    #[serde(default)]
    pub(super) example_key: Vec<ExampleKeyFile>,
    pub(super) notice: NoticeFile,
    pub(super) success_when: SuccessFile,
    #[serde(default)]
    pub(super) reply: BTreeMap<String, ReplyFile>,
    pub(super) reply_signature: Option<ReplySignatureFile>,
    pub(super) bills: Option<BillsFile>,
    pub(super) status: Option<StatusFile>,
    #[serde(default)]
    pub(super) contract: ContractFile,
    #[serde(default)]
    pub(super) refund_request: RefundFile,
    pub(super) statement: Option<StatementFile>,
    pub(super) statement_core: Option<StatementFile>,
    pub(super) statement_bank: Option<StatementFile>,
    #[serde(default)]
    pub(super) fee: Vec<FeeFile>,
    #[serde(default)]
    pub(super) settlement: Vec<SettlementFile>,
    #[serde(default)]
    pub(super) example: Vec<ExampleFile>,
}

/// What the contract with the partner calls things.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractFile {
    pub(super) name: Option<String>,
    pub(super) contract_no: Option<String>,
    pub(super) contract_date: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum MethodFile {
    #[serde(rename = "GET")]
    Get,
    #[default]
    #[serde(rename = "POST")]
    Post,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnMismatchFile {
    Keep,
    Refuse,
}

/// A way to sign, named by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub enum Algorithm {
    /// Behind `allow_legacy` only.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// RFC 2104 over SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// RFC 2104 over SHA-512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
    /// RFC 8017, RSASSA-PKCS1-v1_5 over SHA-256.
    #[serde(rename = "rsa-sha256-pkcs1v15")]
    RsaSha256Pkcs1v15,
    /// RFC 8032.
    #[serde(rename = "ed25519")]
    Ed25519,
}

/// How a key is written in its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEncoding {
    /// The text's own bytes.
    #[default]
    Text,
    /// Hex of the bytes.
    Hex,
    /// Base64 of the bytes.
    Base64,
    /// `whsec_` and base64 of the bytes.
    Whsec,
    /// `whpk_` and base64 of an ed25519 public key.
    Whpk,
    /// A PEM block.
    Pem,
}

/// How a signature is written in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SignatureEncoding {
    Hex,
    Base64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureFile {
    pub(super) algorithm: Option<Algorithm>,
    /// A list of `version,signature` texts, and what each version is.
    pub(super) versions: Option<BTreeMap<String, Algorithm>>,
    pub(super) encoding: SignatureEncoding,
    pub(super) at: String,
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) over: OverFile,
    pub(super) key_id: Option<String>,
    pub(super) sent_at: Option<SentAtFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum OverFile {
    RawBody {},
    ExactText {
        at: String,
    },
    JoinedFields {
        fields: Vec<String>,
        separator: String,
    },
    SortedPairs {
        pairs: BTreeMap<String, String>,
    },
    RawPairs {
        of: PairsOf,
        #[serde(default)]
        except: Vec<String>,
        #[serde(default)]
        prefix: String,
        #[serde(default)]
        skip_empty: bool,
    },
    Template {
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PairsOf {
    Query,
    Form,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentAtFile {
    pub(super) at: String,
    pub(super) format: String,
    pub(super) tolerance_s: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) id: String,
    pub(super) secret: String,
    #[serde(default)]
    pub(super) encoding: KeyEncoding,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) not_before: Option<String>,
    pub(super) not_after: Option<String>,
    /// Left out without complaint while its secret is not set, as long as another key is live.
    #[serde(default)]
    pub(super) optional: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleKeyFile {
    pub(super) id: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) encoding: KeyEncoding,
    pub(super) algorithm: Option<Algorithm>,
    /// The private half, where it is another text.
    pub(super) private: Option<String>,
    #[serde(default)]
    pub(super) private_encoding: Option<KeyEncoding>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoticeFile {
    pub(super) event: Vec<String>,
    pub(super) account: AccountFile,
    pub(super) effect: EffectFile,
    #[serde(default)]
    pub(super) reverses: Vec<String>,
    pub(super) invoice: Option<String>,
    pub(super) order: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) amount: AmountFile,
    pub(super) discount: Option<FigureFile>,
    pub(super) funder: Option<String>,
    pub(super) fee: Option<FigureFile>,
    pub(super) channel: Option<String>,
    pub(super) paid_at: PaidAtFile,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountFile {
    pub(super) at: Option<String>,
    pub(super) is: String,
    /// The account that the examples name, when it is not ours.
    pub(super) in_examples: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum EffectFile {
    Always(String),
    Mapped(EffectMapFile),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EffectMapFile {
    pub(super) at: String,
    pub(super) map: BTreeMap<String, String>,
    /// What a notice without the field says.
    pub(super) absent: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Written {
    #[default]
    Number,
    Text,
}

/// What an amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// What the bill is reduced by.
    Bill,
    /// What the customer paid: the discount is added.
    CustomerPaid,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountFile {
    pub(super) at: String,
    pub(super) means: Means,
    #[serde(default)]
    pub(super) scale: u32,
    #[serde(default)]
    pub(super) written: Written,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FigureFile {
    pub(super) at: String,
    #[serde(default)]
    pub(super) scale: u32,
    #[serde(default)]
    pub(super) written: Written,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaidAtFile {
    pub(super) at: String,
    pub(super) format: String,
    pub(super) zone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuccessFile {
    pub(super) status: Vec<u16>,
    pub(super) at: Option<String>,
    #[serde(default)]
    pub(super) is: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyFile {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<toml::Value>,
    pub(super) text: Option<String>,
    pub(super) content_type: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplySignatureFile {
    pub(super) algorithm: Algorithm,
    pub(super) encoding: SignatureEncoding,
    pub(super) header: String,
    pub(super) over: String,
    pub(super) key: String,
    #[serde(default)]
    pub(super) key_encoding: KeyEncoding,
    pub(super) example_key: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BillsFile {
    pub(super) customer: Option<String>,
    pub(super) invoice: Option<String>,
    pub(super) order: Option<String>,
    #[serde(default)]
    pub(super) reply: BTreeMap<String, ReplyFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusFile {
    pub(super) event: Vec<String>,
    #[serde(default)]
    pub(super) reply: BTreeMap<String, ReplyFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleFile {
    pub(super) about: String,
    #[serde(default)]
    pub(super) call: CallKind,
    pub(super) at: String,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) query: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
    /// By which of the example keys it is proved.
    pub(super) key: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) notice: Option<ExpectedFile>,
    pub(super) asks: Option<AsksFile>,
    pub(super) same_content_as: Option<usize>,
    pub(super) other_content_than: Option<usize>,
    pub(super) outcome: String,
    pub(super) reply_status: u16,
    pub(super) reply_body: Option<String>,
}

/// Which of the partner's calls an example shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    /// `/webhooks/{partner}`.
    #[default]
    Notice,
    /// `/partners/{partner}/bills`.
    Bills,
    /// `/partners/{partner}/status`.
    Status,
}

/// What the example must be read as. What is not stated must be absent or zero.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedFile {
    pub(super) event: Vec<String>,
    pub(super) effect: String,
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) discount: i64,
    #[serde(default)]
    pub(super) fee: i64,
    pub(super) invoice: Option<String>,
    pub(super) order: Option<String>,
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) reverses: Vec<String>,
    pub(super) paid_at: String,
}

/// What an inquiry must be read as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AsksFile {
    pub(super) invoice: Option<String>,
    pub(super) order: Option<String>,
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) event: Vec<String>,
}
