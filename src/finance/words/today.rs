//! Words of the page of today.

use super::words;

words! {TODAY,
    day: "Ngày giao dịch", "Business day";
    partner: "Đối tác", "Partner";
    today_file: "Sao kê về", "File in";
    today_notified: "Đối tác báo thu", "Notified";
    today_statement: "Trong sao kê", "In statement";
    today_cleared: "Đã gạch nợ", "Cleared";
    today_settled: "Tiền về", "Received";
    today_difference: "Lệch", "Difference";
    today_open: "Chênh lệch mở", "Open breaks";
    today_oldest: "Cũ nhất", "Oldest";
    today_state: "Trạng thái", "State";
    today_no: "Chưa", "Not yet";
    today_no_file: "Chưa có sao kê", "No statement yet";
    today_not_compared: "Chưa đối soát", "Not compared";
    today_differs: "Có chênh lệch", "Differs";
    today_ties: "Khớp, chưa chốt", "Ties out, not closed";
    today_drafted: "Chờ ký chốt", "Waits for a signature";
    today_sealed: "Đã chốt", "Closed";
    today_all: "Cộng", "In all";
    today_none: "Những ngày này chưa có gì.", "There is nothing on these days.";
    today_until: "Đến ngày", "Until";
    today_span: "Số ngày", "Days";
    today_show: "Xem", "Show";
    today_as_of: "Tính đến", "As of";
    today_waiting: "Lệnh gạch nợ đang chờ", "Messages to the core that wait";
    today_parked: "Lệnh gạch nợ cần người xử lý", "Messages that wait for a person";
    today_proposals: "Đề xuất chờ duyệt", "Proposals that wait";
    today_breaks: "Chênh lệch mở", "Open breaks";
    today_oldest_waits: "lâu nhất", "oldest";
    today_minutes: "phút", "min";
    today_dong: "(đồng)", "(dong)";
    today_cells: "Mỗi ô: số giao dịch, bên dưới là số tiền (đồng). Lệch = sao kê − đối tác báo thu, chỉ của những ngày đã có sao kê. Chênh lệch mở: số chênh lệch và giá trị liên quan.",
        "Each cell: how many, below it the money (dong). Difference = statement − notified, of days that have a statement. Open breaks: how many, and the money concerned.";
    today_concerned: "giá trị liên quan", "money concerned";
    today_not_come: "chưa nhận", "not brought";
}
