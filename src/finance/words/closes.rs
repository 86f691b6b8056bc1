//! Words of closes: days and months that are signed off.

use super::words;

words! {CLOSES,
    close_draft: "Bản nháp, chờ ký", "Draft, to be signed";
    close_sealed: "✓ Đã chốt sổ", "✓ Sealed";
    close_reopened: "Đã mở lại", "Opened again";
    close_dropped: "Nháp cũ", "Older draft";
    close_none: "Chưa chốt", "Not closed";
    close_next_draw: "Có thể lập bản chốt", "May be drawn up";
    close_next_sign: "Chờ người duyệt ký", "A checker signs";
    close_next_before: "Trước kỳ chốt đầu tiên", "Before the first close";
    close_next_statement: "Chưa có sao kê (ngày không có giao dịch thì không cần)", "No statement (a day without payments needs none)";
    close_partner: "Đối tác", "Partner";
    close_show: "Xem", "Show";
    close_days: "31 ngày gần nhất", "The last 31 days";
    close_months: "Theo tháng", "By month";
    close_period: "Kỳ", "Period";
    close_state: "Trạng thái", "State";
    close_next: "Việc tiếp theo, hoặc vì sao chưa chốt được", "What is next, or why it cannot be closed yet";
    close_open: "Còn mở khi chốt", "Open at the close";
    close_drafted: "Người lập", "Drawn up by";
    close_signed: "Người ký", "Signed by";
    close_ended: "Kết thúc bởi", "Ended by";
    close_why: "Lý do", "Reason";
    close_hash: "Mã băm SHA-256", "SHA-256 hash";
    close_previous: "Mã băm của kỳ chốt trước", "Hash of the close before";
    close_no_partner: "Không có đối tác nào có mẫu sao kê.", "No partner has a layout of statements.";
    close_none_yet: "Chưa có bản chốt nào của kỳ này.", "There is no close of this period yet.";
    close_draw: "Lập bản chốt sổ", "Draw up the close";
    close_draw_again: "Lập lại bản chốt sổ", "Draw it up again";
    close_accept: "Lý do cho các chênh lệch còn mở chuyển kỳ sau, hoặc cho các ngày trước kỳ chốt đầu tiên (nếu có)",
        "Why what is still open is carried over, or why closes begin here, if either is so";
    close_earlier: "Trong đó của các ngày trước kỳ chốt đầu tiên:", "Of which of days before the first close:";
    close_draw_hint: "Người khác sẽ ký. Bản lập mới thay thế bản nháp cũ.", "Another person signs. A new draft takes the place of the older one.";
    close_sign: "Ký chốt sổ", "Sign the close";
    close_sign_hint: "Ký đúng bản có mã băm này; số liệu đã ký không đổi được nữa.", "You sign the draft of this hash; signed figures never move.";
    close_sign_own: "Bạn là người lập bản này: người khác phải ký.", "You drew this up: another person signs it.";
    close_authority: "Hạn mức ký của bạn", "You may sign up to";
    close_no_authority: "Bạn chưa được cấp hạn mức ký chốt sổ.", "You have no authority to sign.";
    close_reopen: "Mở lại kỳ đã chốt", "Open it again";
    close_reopen_reason: "Lý do mở lại", "Why it is opened again";
    close_figures: "Số liệu của bản chốt", "Figures of the close";
    close_statement: "Sao kê", "Statement";
    close_leg: "Đối soát", "Comparison";
    close_accounted: "Giao dịch được tính vào kỳ này", "What the close takes into account";
    close_business_day: "Ngày giao dịch", "Business day";
    close_count: "Số lượng", "Count";
    close_dong: "Số tiền", "Amount";
    close_month_sum: "Cả tháng", "The month";
    close_month_days: "Các ngày của tháng", "Days of the month";
    close_goes_on: "Chênh lệch còn mở, chuyển kỳ sau", "Open, carried over";
    close_class: "Loại chênh lệch", "Type";
    close_break: "Chênh lệch số", "Break no.";
    close_since: "Từ ngày", "Since";
    close_age: "Số ngày", "Age in days";
    close_nothing_open: "✓ Không có chênh lệch nào còn mở.", "✓ Nothing is open.";
    close_unlisted: "Chỉ liệt kê 100 chênh lệch đầu; tất cả nằm trong tổng.", "Only the first 100 are listed; all of them are in the sums.";
    close_unknown: "Số liệu khác", "Other figures";
    close_past: "Các bản trước của kỳ này", "Earlier versions of this period";
    close_no: "Số", "No.";
    close_done_draft: "Đã lập bản chốt. Người khác sẽ ký.", "The close is drawn up. Another person signs it.";
    close_done_sign: "Đã ký: kỳ này đã chốt sổ.", "Signed: the period is sealed.";
    close_done_reopen: "Đã mở lại kỳ này.", "The period is open again.";
    close_bad_reason: "Lý do cần từ 1 đến 1000 byte.", "A reason has 1 to 1000 bytes.";
    close_no_not_over: "Kỳ chưa kết thúc", "The period is not over";
    close_no_sealed: "Kỳ này đã chốt sổ.", "It is sealed.";
    close_no_order: "Phải chốt lần lượt; ngày tiếp theo cần chốt là", "Days are closed one after the other; next is";
    close_no_before: "Kỳ này ở trước kỳ chốt đầu tiên, kỳ đó đã tính cả các ngày trước:",
        "It lies before the first close, which took in what was paid before:";
    close_no_earlier: "Giao dịch của các ngày trước chưa thuộc kỳ chốt nào:", "Payments of earlier days that are in no close:";
    close_no_earlier_then: "Bản chốt đầu tiên này sẽ tính cả chúng: hãy nêu lý do.", "This first close takes them in: say why.";
    close_no_statement: "Chưa nhận sao kê của ngày này.", "No statement of the day was taken.";
    close_no_not_compared: "Chưa đối soát từ khi nhận sao kê", "Not compared since the statement was taken";
    close_no_moved: "Có giao dịch của ngày đến sau lần đối soát: hãy đối soát lại.", "Payments of the day came after it was compared: compare it again.";
    close_no_open: "Số chênh lệch còn mở:", "Breaks that are open:";
    close_no_open_then: "Hãy xử lý, hoặc nêu lý do cho chuyển kỳ sau.",
        "Resolve them, or say why they are carried over.";
    close_no_day: "Ngày chưa chốt sổ:", "Not sealed yet:";
    close_no_range: "Số liệu vượt quá phạm vi tính được.", "The figures are out of range.";
    sign_not_found: "Không có bản nháp để ký.", "There is no draft to sign.";
    sign_other: "Bản nháp đã thay đổi: hãy đọc lại bản mới trước khi ký.", "It is another draft by now: read it before you sign.";
    sign_not_yours: "Người lập không được tự ký, và người đã thêm hoặc cấp mật khẩu cho người lập cũng vậy.",
        "Who drew it up does not sign it, nor does whoever added that person or gave a password.";
    sign_beyond: "Số còn mở vượt hạn mức ký của bạn.", "What is carried over is beyond what you may sign.";
    sign_stale: "Số liệu không còn như khi lập: phải lập lại.", "It is not so any more: it must be drawn up again.";
    reopen_not_found: "Kỳ này chưa chốt sổ.", "It is not sealed.";
    reopen_not_last: "Đã chốt một ngày sau đó, hoặc cả tháng: phải mở lại kỳ đó trước.", "A later day, or the month, is sealed: that one first.";
    reopen_beyond: "Mở lại kỳ đã chốt là đặc quyền mà bạn không có.", "Opening again is a privilege that you do not have.";
    close_concerned: "Giá trị liên quan", "Money concerned";
    close_open_concerned: "Còn mở khi chốt, giá trị liên quan", "Open at the close, money concerned";
    close_before: "Các ngày trước kỳ chốt đầu tiên:", "Days before the first close:";
}
