//! Words of the page `outbox`.

use super::words;

words! {OUTBOX,
    outbox_open: "Đường gửi đang mở", "The way to the core is open";
    outbox_paused: "Đường gửi đang tạm dừng", "The way to the core is paused";
    outbox_since: "từ", "since";
    outbox_probe: "thử lại lúc", "next try";
    outbox_depth: "Lệnh chờ gửi", "Messages waiting";
    outbox_for_person: "Lệnh chờ người xử lý", "Messages that wait for a person";
    outbox_oldest: "Lệnh cũ nhất chưa giao", "Oldest not delivered";
    outbox_oldest_urgent: "Lệnh cũ nhất của hóa đơn quá hạn", "Oldest of an overdue bill";
    outbox_states: "Theo trạng thái", "By state";
    outbox_none: "Không có lệnh nào ở trạng thái này.", "No messages in this state.";
    outbox_why: "Vì sao", "Why";
    outbox_urgent: "gấp", "urgent";
    outbox_actions: "Xử lý", "Actions";
    outbox_retry: "Gửi lại", "Send again";
    outbox_hold: "Giữ lại", "Hold";
    outbox_close: "Kết thúc…", "End…";
    outbox_reason: "Lý do", "Reason";
    outbox_two: "Lệnh kết thúc mà hệ thống hóa đơn không nhận: cần người thứ hai đồng ý.",
        "It ends without the core's yes: a second person must agree.";
    outbox_propose_close: "Đề nghị kết thúc", "Propose to end it";
    outbox_proposed_by: "đề nghị kết thúc bởi", "proposed to be ended by";
    outbox_approve: "Đồng ý kết thúc", "Agree to end it";
    outbox_full: "Chỉ hiện 100 lệnh đầu.", "The first 100 are shown.";
    outbox_sent_again: "Lệnh sẽ được gửi lại.", "The message is sent again.";
    outbox_held: "Đã giữ lệnh lại.", "The message is held.";
    outbox_close_proposed: "Đã đề nghị; chờ người khác đồng ý.", "Proposed; somebody else must agree.";
    outbox_closed: "Lệnh đã kết thúc.", "The message is ended.";
    outbox_needs_reason: "Hãy ghi lý do, tối đa 500 byte.", "Say why, in at most 500 bytes.";
    outbox_wrong_state: "Lệnh đã giao, đã kết thúc hoặc đang được gửi.",
        "The message is delivered, ended or being sent.";
    outbox_needs_another: "Người đề nghị và người đồng ý phải là hai người, và không ai có thể đăng nhập bằng cả hai tên.",
        "Two people must propose and approve, and nobody may be able to log in as both.";
    outbox_payment: "Giao dịch", "Payment";
    outbox_amount: "Số tiền", "Amount";
    outbox_break: "Chênh lệch", "Break";
    outbox_partner: "Đối tác", "Partner";
}
