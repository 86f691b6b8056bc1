//! Words of the page `rules`.

use super::words;

words! {RULES,
    ru_other_list: "Danh sách của quy tắc đã thay đổi từ lúc hiển thị: hãy xem lại trước khi chạy.",
        "What the rule finds has changed since it was shown: look again before you run it.";
    ru_hint: "Quy tắc lập đề xuất. Đề xuất nằm trong hạn mức đã cấp cho quy tắc tự động trong 24 giờ thì được tự duyệt; vượt hạn mức thì chờ người duyệt.",
        "A rule makes proposals. One within what the automatic rules were given for 24 hours is approved by itself; what is beyond waits for a person.";
    ru_rule: "Quy tắc", "Rule";
    ru_does: "Làm gì", "What it does";
    ru_create_missing: "Ghi giao dịch có trong sao kê mà chưa được báo, khi dòng nêu rõ mã và đúng bằng một hóa đơn còn nợ.",
        "Books a payment that the statement has and nobody notified, if its line names the transaction and is exactly an open bill.";
    ru_refund_later: "Hóa đơn trả hai lần: giữ lần đầu, lần sau chờ hoàn tiền.",
        "A bill that was paid twice: the first payment is kept, the later one is to be given back.";
    ru_authority: "Hạn mức tự duyệt trong 24 giờ", "Authority of 24 hours";
    ru_spent: "Đã dùng trong 24 giờ", "Used within 24 hours";
    ru_try: "Chạy thử", "Try it";
    ru_all: "Tất cả", "All";
    ru_dry_run: "Xem sẽ đề xuất gì", "See what it would propose";
    ru_would: "Sẽ đề xuất:", "Would propose:";
    ru_breaks: "Số chênh lệch", "How many breaks";
    ru_break: "Chênh lệch số", "Break";
    ru_run: "Chạy quy tắc", "Run the rule";
    ru_more: "Chỉ hiện 100 dòng đầu.", "The first 100 rows are shown.";
    ru_ran: "Đã lập đề xuất số", "The rule made proposal";
    ru_approved: "Đã tự duyệt trong hạn mức.", "It was approved by the rules' authority.";
    ru_done: "thực hiện", "carried out";
    ru_refused: "không thực hiện được", "not carried out";
    ru_waits: "Đề xuất chờ người duyệt.", "It waits for a person.";
    ru_nothing: "Quy tắc không tìm thấy gì để đề xuất:", "The rule finds nothing to propose:";
}
