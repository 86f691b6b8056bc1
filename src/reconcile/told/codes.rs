//! Codes of the books: why money is in suspense, why a message waits for a person, what became of a call. Told only where
//! a code stands, never where a person may have written: `duplicate` is a word of theirs too.

use crate::domain::user::Tongue;

/// Code, Vietnamese, English.
const CODES: &[(&str, &str, &str)] = &[
    ("contradictory_reference", "các mã tham chiếu mâu thuẫn", "its references contradict each other"),
    ("unknown_invoice", "không rõ hóa đơn", "no known bill"),
    ("already_paid", "hóa đơn đã được thanh toán", "the bill was paid before"),
    ("cancelled", "hóa đơn đã hủy", "the bill was withdrawn"),
    ("wrong_amount", "số tiền không khớp nợ", "not an amount that is owed"),
    ("reversed_other_amount", "lệnh hủy đến trước có số tiền khác", "its reversal came first, over another amount"),
    ("taken_off", "đã được gỡ khỏi hóa đơn", "taken off its bills"),
    ("rejected", "hệ thống hóa đơn từ chối nội dung", "the billing core refused its content"),
    ("bill_already_cleared", "hóa đơn đã được gạch nợ nơi khác", "somebody else has cleared the bill"),
    ("exhausted", "gửi nhiều ngày không được trả lời", "tried for days without an answer"),
    ("walled", "riêng tin này không gửi được", "this message alone cannot be sent"),
    ("held", "có người giữ lại", "held by a person"),
    ("bad_signature", "sai chữ ký", "the signature is wrong"),
    ("stale", "quá cũ hoặc lệch giờ", "outside the time tolerance"),
    ("malformed", "không đọc được", "not understood"),
    ("not_a_payment", "không phải thanh toán", "not a payment"),
    ("conflict", "trùng mã khác nội dung", "the same id with other content"),
    ("duplicate", "đã có trước đó", "known before"),
    ("reversal_refused", "từ chối hủy giao dịch", "reversal refused"),
    ("accepted", "đã ghi sổ", "booked"),
    ("try_again", "lúc này chưa làm được", "not possible right now"),
];

/// A code for people; another word is what it is.
#[must_use]
pub fn code(word: &str, tongue: Tongue) -> String {
    let found = CODES.iter().find(|(of, _, _)| *of == word);
    let told = found.map_or(word, |(_, vi, en)| match tongue {
        Tongue::Vi => vi,
        Tongue::En => en,
    });
    told.to_owned()
}

#[cfg(test)]
mod tests {
    use super::code;
    use crate::domain::decision::ParkReason;
    use crate::domain::dispatch::ParkCause;
    use crate::domain::outcome::Outcome;
    use crate::domain::user::Tongue;

    #[test]
    fn each_code_is_told_in_both_languages() {
        let words = ParkReason::ALL.map(ParkReason::word).into_iter().chain(ParkCause::ALL.map(ParkCause::word));
        for word in words.chain(Outcome::ALL.map(Outcome::word)) {
            let [vi, en] = [Tongue::Vi, Tongue::En].map(|tongue| code(word, tongue));
            assert!(vi != word && en != word && vi != en, "{word}");
        }
    }
}
