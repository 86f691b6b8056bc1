//! Words of the page `matching`.

use super::words;

words! {MATCHING,
    mat_hint: "Khách đã trả cho đối tác nhưng tiền chưa gạch được vào hóa đơn nào.",
        "The customers paid the partner, and the money could not be put on a bill yet.";
    mat_class: "Loại", "Type";
    mat_all: "Tất cả", "All";
    mat_show: "Xem", "Show";
    mat_none: "Không còn giao dịch treo.", "No payment waits in suspense.";
    mat_no: "Số", "No.";
    mat_partner: "Đối tác", "Partner";
    mat_amount: "Số tiền", "Amount";
    mat_age: "Số ngày", "Days";
    mat_detail: "Diễn giải", "Detail";
    mat_state: "Trạng thái", "State";
    mat_assignee: "Người xử lý", "Assignee";
    mat_list: "Danh sách giao dịch treo", "List of payments in suspense";
    mat_to_break: "Chênh lệch", "Break";
    mat_movable: "Có thể phân bổ", "Can be allocated";
    mat_refund_due: "Đang chờ hoàn", "Waits to be given back";
    mat_channel: "Kênh", "Channel";
    mat_suggestions: "Gợi ý", "Suggestions";
    mat_no_suggestion: "Không có gợi ý: hãy tìm nợ theo mã khách hàng hoặc hóa đơn.", "None: look for debts by customer or bill.";
    mat_whole: "dùng hết số tiền", "uses the whole sum";
    mat_take: "Nhận gợi ý này", "Take this suggestion";
    mat_why_named: "Nội dung ghi đúng mã hóa đơn.", "The text is the bill's id.";
    mat_why_order: "Mã đơn hàng của ta chứa mã hóa đơn này.", "Our order reference holds this bill's id.";
    mat_why_same: "Một khoản nợ đúng bằng số tiền, của khách hàng được nêu:", "One debt of exactly this sum, of the customer named:";
    mat_why_oldest: "Nợ cũ nhất trước, của khách hàng được nêu:", "Oldest debts first, of the customer named:";
    mat_why_near: "Nợ đúng bằng số tiền, mã khách hàng chỉ sai một chỗ:", "A debt of exactly this sum, the customer's code is one slip away:";
    mat_allocate: "Phân bổ vào hóa đơn", "Allocate to bills";
    mat_search: "Tìm nợ theo mã khách hàng, mã hóa đơn, hoặc số tiền", "Find debts by customer code, bill id, or amount";
    mat_find: "Tìm", "Find";
    mat_no_debts: "Chưa có khoản nợ nào để phân bổ.", "There is no debt to allocate to yet.";
    mat_period: "Kỳ", "Period";
    mat_due: "Hạn trả", "Due";
    mat_open: "Còn nợ", "Open";
    mat_share: "Phân bổ", "Allocate";
    mat_exact: "đúng số tiền", "exactly this sum";
    mat_others: "Cùng khách hàng, cũng đang treo", "Of the same customer, also in suspense";
    mat_others_hint: "Giao dịch được chọn trả tiếp phần còn lại của các hóa đơn trên, cùng một đề xuất.",
        "What is ticked pays what is left of these bills, in the same proposal.";
    mat_chosen: "Đã chọn", "Chosen";
    mat_refund: "Hoàn khách hàng (âm: lấy lại)", "Give back (negative: take again)";
    mat_write_off: "Giữ lại (xóa số lệch)", "Keep (write off)";
    mat_rest: "Còn treo lại", "Stays in suspense";
    mat_count: "Tính phần còn lại", "Work out the rest";
    mat_oldest: "Nợ cũ nhất trước", "Oldest debt first";
    mat_nothing: "Chưa phân bổ gì.", "Nothing is allocated.";
    mat_too_much: "Phân bổ nhiều hơn số tiền có.", "More is allocated than there is.";
    mat_no_room: "Các hóa đơn đã chọn không còn chỗ cho giao dịch được chọn thêm.", "The bills leave no room for what is ticked.";
    mat_other_gone: "Giao dịch được chọn thêm không còn treo.", "What is ticked is not in suspense any more.";
}
