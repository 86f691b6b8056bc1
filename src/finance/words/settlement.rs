//! Words of settlement: what the bank should bring and brought.

use super::words;

words! {SETTLEMENT,
    settle_full: "✓ Đã về đủ", "✓ Full";
    settle_waiting: "Chưa đến hạn", "Not due yet";
    settle_late: "Về trễ hạn", "Late";
    settle_short: "Về thiếu", "Short";
    settle_missing: "Quá hạn chưa về", "Overdue, nothing came";
    settle_unknown: "Tiền về không rõ lô", "Credit of no known batch";
    settle_different: "Lệch", "Different";
    settle_bad_days: "Khoảng ngày không hợp lệ.", "These are no days from one to another.";
    settle_too_many: "Quá nhiều lô: hãy chọn ít ngày hơn.", "Too many batches: choose fewer days.";
    settle_from: "Từ ngày", "From";
    settle_to: "Đến ngày", "To";
    settle_show: "Xem", "Show";
    settle_partner: "Đối tác", "Partner";
    settle_batches: "Số lô", "Batches";
    settle_differing: "Số lô lệch", "That differ";
    settle_gross: "Đã thu hộ", "Collected";
    settle_utility: "Khuyến mãi điện lực chịu", "Discounts that we bear";
    settle_fees: "Phí giữ lại", "Fees kept back";
    settle_expected: "Phải về", "Expected";
    settle_credited: "Đã về", "Credited";
    settle_difference: "Chênh lệch", "Difference";
    settle_oldest: "Hạn sớm nhất còn lệch", "Earliest due day that differs";
    settle_none: "Không có đối tác nào khai báo kỳ quyết toán.", "No partner has terms of settlement.";
    settle_no_rows: "Chưa có lô nào: hãy nhận sao kê ngân hàng rồi đối soát.", "No batches yet: bring the bank's statement and compare it.";
    settle_no_batch: "(không rõ lô)", "(no known batch)";
    settle_day: "Ngày giao dịch", "Business day";
    settle_state: "Trạng thái", "State";
    settle_file: "Tệp sao kê", "Statement";
    settle_due: "Hạn về", "Due";
    settle_calendar: "Lịch nghỉ lễ", "Holidays";
    settle_calendar_unknown: "? chưa biết", "? not known";
    settle_calendar_hint: "? : lịch chưa có ngày lễ của một năm trên đường đến hạn; chỉ trừ thứ Bảy, Chủ nhật.",
        "?: the calendar has no holidays of a year on the way to that day; only weekends were counted.";
    settle_full_on: "Về đủ ngày", "Full on";
    settle_fee_differs: "≠ phí lệch", "≠ fees differ";
    settle_net: "trừ phí", "net of fees";
    settle_gross_paid: "chưa trừ phí", "before fees";
    settle_kind: "Cách trả", "How it is paid";
    settle_as_of: "Sao kê ngân hàng biết đến ngày", "Bank known up to";
    settle_sum: "Tổng", "Sum";
    settle_breaks: "Các chênh lệch của đối tác", "The partner's breaks";
    settle_next: "Trang sau", "Next page";
    settle_first: "Trang đầu", "First page";
    settle_no_bank: "Chưa nhận sao kê ngân hàng.", "No bank statement was brought.";
    settle_bring: "Nhận sao kê ngân hàng", "Bring the bank statement";
    settle_not_compared: "Chưa đối soát tiền về ngân hàng.", "The bank's credits were not compared.";
    settle_times: "lần báo có", "credits";
    settle_fees_of: "Phí: theo biểu, theo sao kê", "Fee: by the schedule, as stated";
}
