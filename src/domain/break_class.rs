//! The classes of breaks: one table with what a person reads. Codes are those of the reconciliation desk and never change.

/// The class of a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakClass {
    /// Money on no bill: the references name none.
    UnknownRef,
    /// The references contradict each other.
    ContradictoryRef,
    /// The amount is not what is open, or not what the other side says.
    AmountMismatch,
    /// The bill was closed already.
    DuplicatePayment,
    /// The bill was withdrawn.
    CancelledInvoice,
    /// One event said with two contents.
    Conflict,
    /// A failure after a success, or the other way round; booked on one side and refused on the other.
    StatusMismatch,
    /// A reversal that could not be booked.
    ReversalRefused,
    /// A proved call outside the time tolerance.
    Stale,
    /// A proved call that could not be read.
    Unreadable,
    /// A proved call that came while its partner was paused.
    Paused,
    /// An older bill stays open.
    OutOfOrder,
    /// The core changed an invoice under money of ours.
    InvoiceChanged,
    /// The core cleared the bill for somebody else.
    BillAlreadyCleared,
    /// The core has not taken a message for too long or refused it, or does not list what we told it.
    PaidNotCleared,
    /// In their statement, never notified.
    MissingWebhook,
    /// Notified, not in their statement.
    MissingInStatement,
    /// One event notified more than once.
    DuplicateNotify,
    /// One event more than once in a statement.
    DuplicateLine,
    /// No final state is known.
    Suspect,
    /// Right, but on another business day.
    CutoffTiming,
    /// The fee is not what the schedule says.
    FeeMismatch,
    /// The discount or who pays it differs.
    PromoMismatch,
    /// The right money under another event's id.
    SwappedId,
    /// One event with two references.
    ReferenceMismatch,
    /// One payment of ours is several lines of theirs.
    Split,
    /// Several payments of ours are one line of theirs.
    Merged,
    /// Paid for somebody else.
    WrongCustomer,
    /// Less than the bill.
    Underpaid,
    /// More than the bill.
    Overpaid,
    /// A reversal that only one side has.
    Reversed,
    /// The core cleared a debt without our money.
    ClearedNotPaid,
    /// The bank's credit is less than it should be.
    SettlementShort,
    /// The bank's credit came after its day.
    SettlementLate,
    /// The bank's credit has not come and is due.
    SettlementMissing,
    /// A statement that cannot be taken.
    BadFile,
    /// A cheque or debit that was returned.
    Bounced,
}

/// What is known of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The code in the database, the API and reports.
    pub code: &'static str,
    /// What people in Vietnam call it.
    pub label_vi: &'static str,
    /// The same in English.
    pub label_en: &'static str,
    /// Where it usually comes from.
    pub cause: &'static str,
    /// Where it goes unless somebody decides otherwise.
    pub route: &'static str,
}

impl BreakClass {
    /// All of them.
    pub const ALL: [Self; 37] = [
        Self::UnknownRef,
        Self::ContradictoryRef,
        Self::AmountMismatch,
        Self::DuplicatePayment,
        Self::CancelledInvoice,
        Self::Conflict,
        Self::StatusMismatch,
        Self::ReversalRefused,
        Self::Stale,
        Self::Unreadable,
        Self::Paused,
        Self::OutOfOrder,
        Self::InvoiceChanged,
        Self::BillAlreadyCleared,
        Self::PaidNotCleared,
        Self::MissingWebhook,
        Self::MissingInStatement,
        Self::DuplicateNotify,
        Self::DuplicateLine,
        Self::Suspect,
        Self::CutoffTiming,
        Self::FeeMismatch,
        Self::PromoMismatch,
        Self::SwappedId,
        Self::ReferenceMismatch,
        Self::Split,
        Self::Merged,
        Self::WrongCustomer,
        Self::Underpaid,
        Self::Overpaid,
        Self::Reversed,
        Self::ClearedNotPaid,
        Self::SettlementShort,
        Self::SettlementLate,
        Self::SettlementMissing,
        Self::BadFile,
        Self::Bounced,
    ];

    /// Those that say, where no comparison opened them, that money of a payment waits for somebody.
    pub const WAITING: [Self; 7] = [
        Self::UnknownRef,
        Self::ContradictoryRef,
        Self::AmountMismatch,
        Self::WrongCustomer,
        Self::DuplicatePayment,
        Self::CancelledInvoice,
        Self::Overpaid,
    ];

    /// Its row of the table.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one row per class, reads as a table")]
    pub fn about(self) -> About {
        let row = |code, label_vi, label_en, cause, route| About { code, label_vi, label_en, cause, route };
        match self {
            Self::UnknownRef => row(
                "UNKNOWN_REF",
                "Không rõ mã khách hàng",
                "Unknown reference",
                "the transfer's text names no bill",
                "matching desk",
            ),
            Self::ContradictoryRef => row(
                "CONTRADICTORY_REF",
                "Mã tham chiếu mâu thuẫn",
                "Contradictory references",
                "two references name two customers",
                "matching desk",
            ),
            Self::AmountMismatch => row(
                "AMOUNT_MISMATCH",
                "Lệch số tiền",
                "Amount mismatch",
                "a discount, a typing error, hundredths of a dong",
                "manual: compare the evidence, then adjust or reverse",
            ),
            Self::DuplicatePayment => row(
                "DUPLICATE_PAYMENT",
                "Thanh toán trùng",
                "Duplicate payment",
                "one bill paid through two channels",
                "refund or credit, by another one's approval",
            ),
            Self::CancelledInvoice => row(
                "CANCELLED_INVOICE",
                "Hóa đơn đã hủy",
                "Cancelled invoice",
                "the bill was withdrawn while it was being paid",
                "re-apply or refund",
            ),
            Self::Conflict => row(
                "CONFLICT",
                "Trùng mã khác nội dung",
                "Conflicting contents",
                "the partner repeated an event with other contents",
                "partner enquiry",
            ),
            Self::StatusMismatch => row(
                "STATUS_MISMATCH",
                "Lệch trạng thái",
                "Status mismatch",
                "a timeout between partner and bank",
                "status enquiry, then side with the statement",
            ),
            Self::ReversalRefused => row(
                "REVERSAL_REFUSED",
                "Từ chối hủy giao dịch",
                "Refused reversal",
                "the reversal names no payment, or another amount",
                "partner enquiry",
            ),
            Self::Stale => row(
                "STALE",
                "Thông báo quá hạn",
                "Stale notice",
                "a clock that is wrong, a call sent again late",
                "run the stored notice again",
            ),
            Self::Unreadable => row(
                "UNREADABLE",
                "Thông báo không đọc được",
                "Unreadable notice",
                "the partner changed its format",
                "correct the profile, run the stored notice again",
            ),
            Self::Paused => row(
                "PAUSED",
                "Đối tác đang tạm dừng",
                "Paused partner",
                "a notice came while its partner was paused",
                "resume, run the stored notice again",
            ),
            Self::OutOfOrder => row(
                "OUT_OF_ORDER",
                "Còn nợ kỳ trước",
                "Older bill stays open",
                "a newer bill was paid first",
                "information for the district unit",
            ),
            Self::InvoiceChanged => row(
                "INVOICE_CHANGED",
                "Hóa đơn thay đổi sau khi thu",
                "Invoice changed",
                "the core adjusted or withdrew a bill that was paid",
                "re-apply or refund",
            ),
            Self::BillAlreadyCleared => row(
                "BILL_ALREADY_CLEARED",
                "Hóa đơn đã gạch nợ nguồn khác",
                "Bill already cleared",
                "another channel was faster",
                "treat as a duplicate payment",
            ),
            Self::PaidNotCleared => row(
                "PAID_NOT_CLEARED",
                "Đã thu chưa gạch nợ",
                "Paid, not cleared",
                "the core is down, or refuses",
                "retry, with an alarm",
            ),
            Self::MissingWebhook => row(
                "MISSING_WEBHOOK",
                "Thiếu thông báo",
                "Missing notice",
                "the call was lost or blocked",
                "create it from the statement after a status enquiry, then clear the debt",
            ),
            Self::MissingInStatement => row(
                "MISSING_IN_STATEMENT",
                "Thiếu trong sao kê đối tác",
                "Missing in statement",
                "it failed or was reversed at the partner later",
                "hold one cycle, then partner enquiry, then reverse",
            ),
            Self::DuplicateNotify => row(
                "DUPLICATE_NOTIFY",
                "Thông báo trùng",
                "Duplicate notice",
                "the partner repeats its call",
                "none: ignored and counted",
            ),
            Self::DuplicateLine => row(
                "DUPLICATE_LINE",
                "Trùng dòng sao kê",
                "Duplicate line",
                "a file put together twice",
                "partner: corrected file",
            ),
            Self::Suspect => row(
                "SUSPECT",
                "Nghi ngờ (hết thời gian chờ)",
                "Suspect",
                "no final state after a timeout",
                "enquiry, ever longer apart",
            ),
            Self::CutoffTiming => row(
                "CUTOFF_TIMING",
                "Lệch ngày giao dịch",
                "Cut-off timing",
                "paid near midnight",
                "none: matched with the next day",
            ),
            Self::FeeMismatch => row(
                "FEE_MISMATCH",
                "Lệch phí",
                "Fee mismatch",
                "a wrong tier, tax on the fee, net against gross",
                "finance",
            ),
            Self::PromoMismatch => row(
                "PROMO_MISMATCH",
                "Lệch khuyến mãi",
                "Promotion mismatch",
                "how the campaign was set up",
                "finance with the partner",
            ),
            Self::SwappedId => row(
                "SWAPPED_ID",
                "Sai mã giao dịch",
                "Swapped transaction id",
                "ids exchanged or issued anew in the partner's file",
                "partner: corrected file",
            ),
            Self::ReferenceMismatch => row(
                "REFERENCE_MISMATCH",
                "Lệch mã tham chiếu",
                "Reference mismatch",
                "the partner's file names another order",
                "manual: compare the evidence",
            ),
            Self::Split => row(
                "SPLIT",
                "Tách giao dịch",
                "Split payment",
                "the partner lists a payment in parts",
                "manual: assign the parts",
            ),
            Self::Merged => row(
                "MERGED",
                "Gộp giao dịch",
                "Merged payments",
                "the partner lists several bills as one",
                "manual: assign the whole",
            ),
            Self::WrongCustomer => row(
                "WRONG_CUSTOMER",
                "Sai khách hàng",
                "Wrong customer",
                "somebody else's code was typed",
                "re-apply, by another one's approval",
            ),
            Self::Underpaid => {
                row("UNDERPAID", "Thu thiếu", "Underpaid", "less was paid than is open", "partial payment or refund")
            }
            Self::Overpaid => row("OVERPAID", "Thu thừa", "Overpaid", "more was paid than is open", "credit or refund"),
            Self::Reversed => row(
                "REVERSED",
                "Hủy/hoàn",
                "Reversed",
                "cancelled or refunded on one side only",
                "undo the clearing, four eyes",
            ),
            Self::ClearedNotPaid => row(
                "CLEARED_NOT_PAID",
                "Gạch nợ khống",
                "Cleared, not paid",
                "the debt was cleared by hand",
                "finance, most urgent",
            ),
            Self::SettlementShort => {
                row("SETTLEMENT_SHORT", "Tiền về thiếu", "Settlement short", "paid net of the fee", "partner")
            }
            Self::SettlementLate => {
                row("SETTLEMENT_LATE", "Tiền về chậm", "Settlement late", "a holiday, a bank's cut-off", "partner")
            }
            Self::SettlementMissing => {
                row("SETTLEMENT_MISSING", "Chưa về tiền", "Settlement missing", "not transferred yet", "partner")
            }
            Self::BadFile => {
                row("BAD_FILE", "Tệp sai", "Bad file", "totals, count or dates that disagree", "refuse the whole file")
            }
            Self::Bounced => row(
                "BOUNCED",
                "Séc/nợ tự động bị trả",
                "Bounced",
                "no balance behind a cheque or direct debit",
                "reopen the debt",
            ),
        }
    }

    /// The code in the database, the API and reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.about().code
    }

    /// From its code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_class_is_told_apart_by_its_code_and_by_its_labels() {
        let all = BreakClass::ALL.map(BreakClass::about);
        for texts in [all.map(|a| a.code), all.map(|a| a.label_vi), all.map(|a| a.label_en)] {
            assert_eq!(BTreeSet::from(texts).len(), BreakClass::ALL.len());
        }
        for (class, about) in BreakClass::ALL.into_iter().zip(all) {
            assert_eq!(BreakClass::parse(about.code), Some(class));
            assert!(!about.cause.is_empty() && !about.route.is_empty(), "{class:?}");
        }
        assert_eq!(BreakClass::parse("OTHER"), None);
    }
}
