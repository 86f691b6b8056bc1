//! Sentences that the books keep in English, told in Vietnamese. A sentence that is not in the table is told as it is: it is
//! still a fact.

use super::show::count;
use super::words::Words;
use crate::domain::user::Tongue;

/// A sentence in this person's language.
#[must_use]
pub fn told(sentence: &str, w: Words) -> String {
    if w.0 == Tongue::En {
        return sentence.to_owned();
    }
    let found = TABLE.iter().find_map(|(en, vi)| Some((parts(en, sentence)?, vi)));
    found.map_or_else(|| sentence.to_owned(), |(parts, vi)| filled(vi, &parts, w))
}

/// What stands for each `{}` of a pattern; `None` where the sentence is another one.
fn parts<'s>(pattern: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut fixed = pattern.split("{}");
    let mut rest = sentence.strip_prefix(fixed.next()?)?;
    let mut parts = Vec::new();
    let mut last = true;
    for next in fixed {
        let at = if next.is_empty() { rest.len() } else { rest.find(next)? };
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after.strip_prefix(next)?;
        last = next.is_empty();
    }
    (rest.is_empty() || (last && !parts.is_empty())).then_some(parts)
}

fn filled(pattern: &str, parts: &[&str], w: Words) -> String {
    let mut text = String::new();
    let mut parts = parts.iter();
    for (n, fixed) in pattern.split("{}").enumerate() {
        if n > 0 {
            text.push_str(&part(parts.next().copied().unwrap_or_default(), w));
        }
        text.push_str(fixed);
    }
    text
}

/// A sum with its thousands apart; else told by itself.
fn part(of: &str, w: Words) -> String {
    match of.parse::<i64>() {
        Ok(dong) if of.len() > 3 => count(dong, w.0),
        _ => told(of, w),
    }
}

/// Longer sentences before those that they begin with.
const TABLE: &[(&str, &str)] = &[
    (
        "the bill was paid before; the later payment goes back to the customer",
        "hóa đơn đã được trả trước; giao dịch sau được hoàn cho khách hàng",
    ),
    (
        "in the statement, not notified; the line names its event and is exactly an open bill",
        "có trong sao kê, chưa được báo; dòng nêu mã giao dịch và đúng bằng một hóa đơn còn nợ",
    ),
    (
        "the statement has {} dong (line {} of {}), our books have nothing",
        "sao kê có {} đồng (dòng {} của {}), sổ của ta không có",
    ),
    ("the statement has {} dong, our books have nothing", "sao kê có {} đồng, sổ của ta không có"),
    ("our books have {} dong, the statement {} has nothing", "sổ của ta có {} đồng, sao kê {} không có"),
    (
        "the fee is {} in the statement (line {} of {}) and {} in our books",
        "phí trong sao kê là {} (dòng {} của {}), trong sổ là {}",
    ),
    (
        "the discount is {} in the statement (line {} of {}) and {} in our books",
        "giảm giá trong sao kê là {} (dòng {} của {}), trong sổ là {}",
    ),
    (
        "the statement says {} dong (line {} of {}) and our books {} dong: {}",
        "sao kê ghi {} đồng (dòng {} của {}), sổ của ta {} đồng: {}",
    ),
    ("the statement says {} dong and our books {} dong: {}", "sao kê ghi {} đồng, sổ của ta {} đồng: {}"),
    ("the amounts differ by the fee", "số tiền lệch đúng bằng phí"),
    ("the amounts differ by the discount", "số tiền lệch đúng bằng giảm giá"),
    ("the amounts differ", "số tiền khác nhau"),
    ("the partner says that nothing moved", "đối tác báo không có tiền chuyển"),
    ("it is not in our books, or the core was not told of it", "sổ của ta không có, hoặc chưa gửi gạch nợ"),
    ("one says payment, the other one reversal", "một bên ghi thanh toán, bên kia ghi hủy"),
    ("the references differ", "mã tham chiếu khác nhau"),
    (
        "the same reference and amount under another transaction id",
        "cùng mã tham chiếu và số tiền nhưng khác mã giao dịch",
    ),
    ("two transaction ids are exchanged", "hai mã giao dịch bị tráo"),
    ("the statement has the transaction more than once", "sao kê có giao dịch này nhiều lần"),
    ("the transaction was in the statement of another day already", "giao dịch đã có trong sao kê của ngày khác"),
    ("several on one side are one on the other", "nhiều dòng bên này là một giao dịch bên kia"),
    ("a payment and its reversal, both on one side only", "một giao dịch và lệnh hủy của nó, cả hai chỉ có ở một bên"),
    (
        "nothing of batch {} of {} came by {}: {} dong were due on {}",
        "lô {} của ngày {} chưa về đến {}: phải về {} đồng, hạn {}",
    ),
    (
        "batch {} of {} is {} dong short: {} of {} came, due on {}",
        "lô {} của ngày {} thiếu {} đồng: về {} trên {}, hạn {}",
    ),
    ("batch {} of {} was full on {} and due on {}: {} dong", "lô {} của ngày {} về đủ ngày {}, hạn {}: {} đồng"),
    ("{} dong were credited on {} that name no batch", "{} đồng ghi có ngày {} không nêu lô nào"),
    (
        "{} dong were credited on {} for a batch of which no statement was taken",
        "{} đồng ghi có ngày {} cho lô chưa có sao kê",
    ),
    ("batch {} of {} should bring {} dong and brought {}", "lô {} của ngày {} phải về {} đồng, đã về {}"),
    (
        "the statement of {} states fees of {} dong in all, the schedule in force says {}",
        "sao kê ngày {} ghi tổng phí {} đồng, theo biểu phí là {}",
    ),
    ("parked: {}", "treo: {}"),
    ("still parked: {}", "vẫn treo: {}"),
    ("contradictory_reference", "các mã tham chiếu mâu thuẫn"),
    ("unknown_invoice", "không rõ hóa đơn"),
    ("already_paid", "hóa đơn đã được thanh toán"),
    ("cancelled", "hóa đơn đã hủy"),
    ("wrong_amount", "số tiền không khớp nợ"),
    ("reversed_other_amount", "lệnh hủy đến trước có số tiền khác"),
    ("taken_off", "đã được gỡ khỏi hóa đơn"),
    ("cancelled by the core", "hệ thống lõi hủy hóa đơn"),
    ("lowered by the core below what is settled", "hệ thống lõi giảm hóa đơn xuống dưới số đã gạch nợ"),
    ("issued anew by the core with other figures", "hệ thống lõi phát hành lại với số liệu khác"),
    ("the partner says failed; the payment is in the books", "đối tác báo thất bại nhưng giao dịch đã ghi sổ"),
    ("an older bill of the customer stays open", "khách hàng còn nợ hóa đơn cũ hơn"),
    ("the payment came after its reversal, over another amount", "giao dịch đến sau lệnh hủy của nó, với số tiền khác"),
    ("the same event was said before with other content", "giao dịch này đã được báo trước với nội dung khác"),
    ("understood, and could not be booked", "đã đọc được nhưng không ghi sổ được"),
    ("it came while the partner was paused", "đến khi đối tác đang tạm dừng"),
    ("{} dong of the payment wait in suspense or to be given back", "{} đồng của giao dịch còn treo hoặc chờ hoàn"),
    (
        "{} dong of the payment wait in suspense or to be given back: say where they go",
        "{} đồng của giao dịch còn treo hoặc chờ hoàn: hãy phân bổ trước",
    ),
    ("the billing core did not take {}: {}", "hệ thống lõi chưa nhận {}: {}"),
    ("the payment was taken back", "giao dịch đã được hủy"),
    ("its invoice came", "hóa đơn đã về"),
    ("it could not be booked: ask those who run this", "không ghi sổ được: hãy báo bộ phận vận hành"),
    ("it was closed meanwhile", "chênh lệch đã được đóng trong lúc chờ"),
    ("the break is about another line of the statement now", "chênh lệch nay thuộc dòng sao kê khác"),
    ("the break is about no payment", "chênh lệch không gắn với giao dịch nào"),
    ("the break is about no partner", "chênh lệch không thuộc đối tác nào"),
    ("the break is about no line of the partner's statement", "chênh lệch không gắn với dòng sao kê của đối tác"),
    ("the break is about another payment than the line", "chênh lệch thuộc giao dịch khác với dòng sao kê"),
    (
        "only a payment that is missing in the books is booked from its line",
        "chỉ lập được giao dịch còn thiếu trong sổ",
    ),
    ("the partner has no profile", "đối tác chưa có hồ sơ cấu hình"),
    ("a corrected statement took the line's place", "dòng này đã bị sao kê sửa đổi thay thế"),
    ("the line is not a payment", "dòng sao kê không phải là thanh toán"),
    ("the line is over no money", "dòng sao kê không có tiền"),
    ("the line is over another sum than was approved", "dòng sao kê có số tiền khác số đã duyệt"),
    ("the line's discount or fee is more than its amount", "giảm giá hoặc phí của dòng lớn hơn số tiền"),
    ("the line is of no day", "dòng sao kê không thuộc ngày nào"),
    ("the line names its event itself", "dòng sao kê đã nêu mã giao dịch"),
    (
        "the line names no event: the partner's id of it is needed",
        "dòng sao kê không nêu mã giao dịch: cần mã của đối tác",
    ),
    ("event: expected the partner's id of it", "mã giao dịch của đối tác không đúng dạng"),
    ("the payment is not in the books", "sổ không có giao dịch này"),
    ("the payment has not come", "giao dịch chưa đến"),
    ("it is a reversal, not a payment", "đây là lệnh hủy, không phải thanh toán"),
    ("the payment is over {} dong, which is not what was approved", "giao dịch có số tiền {} đồng, khác số đã duyệt"),
    ("its notice, or its reversal, has come meanwhile", "thông báo hoặc lệnh hủy của giao dịch đã đến trong lúc chờ"),
    ("the money is there already", "tiền đã ở đúng chỗ"),
    ("nothing was moved", "không có gì được chuyển"),
    ("invoice {} is not known", "không có hóa đơn {}"),
    ("invoice {} was cancelled", "hóa đơn {} đã hủy"),
    ("invoice {} has {} dong open, not {}", "hóa đơn {} còn nợ {} đồng, không phải {}"),
    ("{} dong of the payment can be moved, not {}", "chỉ chuyển được {} đồng của giao dịch, không phải {}"),
    ("{} dong of it wait to be given back", "có {} đồng đang chờ hoàn"),
    ("the partner owes {} dong for the payment of {}", "đối tác còn phải trả {} đồng cho giao dịch {} đồng"),
    ("nothing is left of the payment", "giao dịch không còn gì"),
    ("create by proposal {} of {}, approved by {}", "lập giao dịch theo đề xuất {} của {}, người duyệt {}"),
    ("allocate by proposal {} of {}, approved by {}", "phân bổ theo đề xuất {} của {}, người duyệt {}"),
    ("adjust by proposal {} of {}, approved by {}", "điều chỉnh theo đề xuất {} của {}, người duyệt {}"),
    ("reverse by proposal {} of {}, approved by {}", "hủy giao dịch theo đề xuất {} của {}, người duyệt {}"),
    ("close by proposal {} of {}, approved by {}", "đóng theo đề xuất {} của {}, người duyệt {}"),
    ("proposal {}: {}", "đề xuất {}: {}"),
    ("nobody", "không ai"),
];

#[cfg(test)]
mod tests {
    use super::{TABLE, told};
    use crate::domain::decision::ParkReason;
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;

    #[test]
    fn a_sentence_is_told_with_what_it_is_about() {
        let vi = |text: &str| told(text, Words(Tongue::Vi));
        assert_eq!(
            vi("invoice HD/1-2 has 150000 dong open, not 200000"),
            "hóa đơn HD/1-2 còn nợ 150.000 đồng, không phải 200.000"
        );
        assert_eq!(vi("parked: unknown_invoice"), "treo: không rõ hóa đơn");
        assert_eq!(vi("proposal 7: invoice HD-1 was cancelled"), "đề xuất 7: hóa đơn HD-1 đã hủy");
        assert_eq!(
            vi("our books have 5000 dong, the statement a b.csv has nothing"),
            "sổ của ta có 5.000 đồng, sao kê a b.csv không có"
        );
        assert_eq!(vi("something new"), "something new");
        assert_eq!(told("the amounts differ", Words(Tongue::En)), "the amounts differ");
    }

    #[test]
    fn each_reason_to_park_is_told() {
        for reason in ParkReason::ALL {
            assert_ne!(told(reason.word(), Words(Tongue::Vi)), reason.word());
        }
    }

    #[test]
    fn each_pattern_is_found_by_itself_and_filled_with_as_much_as_it_has() {
        for (en, vi) in TABLE {
            let holes = |text: &str| text.matches("{}").count();
            assert_eq!(holes(en), holes(vi), "{en}");
            let sentence = en.replace("{}", "1");
            assert_eq!(told(&sentence, Words(Tongue::Vi)), vi.replace("{}", "1"), "{en}");
        }
    }
}
