//! Words of the minutes' page; the minutes themselves are Vietnamese, as they are signed.

use super::words;

words! {MINUTES,
    minutes_title: "Biên bản đối soát", "Minutes of reconciliation";
    minutes_partner: "Đối tác", "Partner";
    minutes_from: "Từ ngày", "From";
    minutes_to: "Đến ngày", "To";
    minutes_make: "Lập biên bản", "Make the minutes";
    minutes_open: "Mở để in", "Open for printing";
    minutes_download: "Tải về", "Download";
    minutes_hint: "Biên bản bằng tiếng Việt, khổ A4. Trên trang mở ra, dùng Ctrl+P để in; chưa chốt sổ thì in chữ BẢN NHÁP.",
        "The minutes are in Vietnamese, on A4. Print the page that opens with Ctrl+P; it says BẢN NHÁP (draft) until the period is sealed.";
    minutes_for_others: "Biên bản ghi từng hóa đơn và giao dịch: chỉ người lập và người duyệt mở được.",
        "The minutes name bills and payments one by one: makers and checkers may open them.";
    minutes_bad_period: "Kỳ đối soát không hợp lệ: cần ngày đầu, ngày cuối không trước ngày đầu, và không quá dài.",
        "Not a period: expected a first day, a last one not before it, and not too many days.";
    minutes_untied: "Số liệu không cân: biên bản không được in. Hãy báo vận hành.", "The figures do not tie out: nothing is printed. Tell ops.";
    minutes_busy: "Một việc dài khác đang chạy. Hãy thử lại sau giây lát.", "Other long work is under way. Try again in a moment.";
}
