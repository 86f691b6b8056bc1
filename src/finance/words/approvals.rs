//! Words of the page `approvals`.

use super::words;

words! {APPROVALS,
    dec_other_list: "Danh sách đã khác với danh sách bạn xem: hãy tải lại trang.", "It is another list than you saw: load the page again.";
    dec_say_why: "Từ chối thì phải nói vì sao.", "Say why it is rejected.";
    dec_late: "Người khác đã quyết định trước.", "Somebody decided before.";
    dec_not_yours: "Không ai duyệt hoặc từ chối đề xuất của chính mình, hay rút đề xuất của người khác.",
        "Nobody approves or rejects their own, or withdraws another's.";
    dec_beyond: "Tổng số tiền vượt hạn mức duyệt của bạn.", "The sum is beyond what you may approve.";
    pro_proposed: "Chờ duyệt", "Waits";
    pro_approved: "Đang thực hiện", "Being carried out";
    pro_done: "Đã thực hiện", "Done";
    pro_rejected: "Bị từ chối", "Rejected";
    pro_withdrawn: "Đã rút", "Withdrawn";
    app_tabs: "Chọn danh sách", "Which list";
    app_newest: "Chờ duyệt, mới nhất", "Waiting, newest";
    app_oldest: "Chờ duyệt, cũ nhất", "Waiting, oldest";
    app_history: "Đã quyết định", "Decided";
    app_waiting: "đề xuất chờ duyệt, tổng số tiền", "waiting, total";
    app_none: "Không có đề xuất nào.", "There are no proposals.";
    app_no: "Số", "No.";
    app_action: "Việc", "Action";
    app_items: "Số dòng", "Rows";
    app_sum: "Số tiền", "Sum";
    app_maker: "Người lập", "Maker";
    app_made_at: "Lập lúc", "Made";
    app_reason: "Lý do", "Reason";
    app_state: "Trạng thái", "State";
    app_decided: "Quyết định", "Decision";
    app_mine: "do bạn lập", "you made it";
    app_mine_hint: "Bạn đã lập đề xuất này: người khác duyệt.", "You made this proposal: another person decides.";
    app_more: "Trang sau", "Next page";
    app_list: "Danh sách đã khóa", "Frozen list";
    app_place: "Thứ tự", "Place";
    app_break: "Chênh lệch", "Break";
    app_partner: "Đối tác", "Partner";
    app_what: "Cách xử lý", "Resolution";
    app_detail: "Diễn giải", "Detail";
    app_end: "Kết quả", "End";
    app_not_done: "Không làm được:", "Not possible:";
    app_not_yet: "chưa", "not yet";
    app_proposal: "Đề xuất", "Proposal";
    app_to_inbox: "Về danh sách chờ duyệt", "To the inbox";
    app_next: "Đề xuất tiếp theo", "Next proposal";
    app_sha256: "Mã băm danh sách", "SHA-256 of the list";
    app_decision: "Quyết định về danh sách này", "Decision about this list";
    app_words: "Ý kiến", "Words";
    app_why_not: "Vì sao từ chối", "Why not";
    app_approve: "Duyệt", "Approve";
    app_reject: "Từ chối", "Reject";
    app_withdraw: "Rút lại", "Withdraw";
    app_limit: "Hạn mức duyệt của bạn:", "You may approve up to";
    app_no_limit: "Bạn chưa có hạn mức duyệt cho việc này.", "You have no authority for this action.";
    app_beyond: "Vượt hạn mức.", "Beyond your authority.";
    app_done_approve: "Đã duyệt.", "Approved.";
    app_carried: "dòng đã thực hiện", "rows carried out";
    app_refused: "dòng không thực hiện được", "rows not possible";
    app_done_reject: "Đã từ chối.", "Rejected.";
    app_done_withdraw: "Đã rút lại.", "Withdrawn.";
    app_done_proposed: "Đã trình duyệt: chờ người khác.", "Proposed: it waits for another person.";
    bulk_title: "Trình duyệt nhiều chênh lệch", "Propose for many breaks";
    bulk_choose: "(chọn)", "(choose)";
    bulk_because: "Vì (chỉ khi điều chỉnh)", "Because (adjustments only)";
    bulk_dong: "Mỗi giao dịch ít hơn (đồng)", "Each payment less by (dong)";
    bulk_show: "Xem danh sách", "Show the list";
    bulk_propose: "Trình duyệt cả danh sách", "Propose this list";
    bulk_more: "Các dòng tiếp theo không hiện ở đây:", "Further rows that are not shown here:";
    bulk_other_list: "Danh sách đã khác: hãy xem lại rồi trình duyệt.", "The list is another one now: look again, then propose.";
    bulk_left_out: "Đã bỏ ra khỏi danh sách dưới đây.", "They are left out of the list below.";
    wish_refund: "hoàn khách", "to be given back";
    wish_write_off: "giữ lại", "kept";
    wish_into_suspense: "Gỡ khỏi hóa đơn, đưa về treo", "Off its invoices, into suspense";
    app_waits_for: "Chờ một trong những người có hạn mức cho tổng này:", "It waits for one of those who may approve this sum:";
    app_waits_for_nobody: "Chưa ai khác có hạn mức cho tổng này: hãy đề nghị quản trị cấp.",
        "Nobody else may approve this sum: ask the administrator for an authority.";
}
