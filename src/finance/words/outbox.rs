//! Words of the page `outbox`.

use super::words;

words! {OUTBOX,
    ob_open: "Đường gửi đang mở", "The way to the core is open";
    ob_paused: "Đường gửi đang tạm dừng", "The way to the core is paused";
    ob_since: "từ", "since";
    ob_probe: "thử lại lúc", "next try";
    ob_depth: "Tin chờ gửi", "Messages waiting";
    ob_for_person: "Tin chờ người xử lý", "Messages that wait for a person";
    ob_oldest: "Tin cũ nhất chưa giao", "Oldest not delivered";
    ob_oldest_urgent: "Tin cũ nhất của hóa đơn quá hạn", "Oldest of an overdue bill";
    ob_states: "Theo trạng thái", "By state";
    ob_being_sent: "Đang gửi", "Being sent";
    ob_none: "Không có tin nào ở trạng thái này.", "No messages in this state.";
    ob_why: "Vì sao", "Why";
    ob_urgent: "gấp", "urgent";
    ob_actions: "Xử lý", "Actions";
    ob_retry: "Gửi lại", "Send again";
    ob_hold: "Giữ lại", "Hold";
    ob_close: "Kết thúc…", "End…";
    ob_reason: "Lý do", "Reason";
    ob_two: "Tin kết thúc mà hệ thống hóa đơn không nhận: cần người thứ hai đồng ý.",
        "It ends without the core's yes: a second person must agree.";
    ob_propose_close: "Đề nghị kết thúc", "Propose to end it";
    ob_proposed_by: "đề nghị kết thúc bởi", "proposed to be ended by";
    ob_approve: "Đồng ý kết thúc", "Agree to end it";
    ob_full: "Chỉ hiện 100 tin đầu.", "The first 100 are shown.";
    ob_sent_again: "Tin sẽ được gửi lại.", "The message is sent again.";
    ob_held: "Đã giữ tin lại.", "The message is held.";
    ob_close_proposed: "Đã đề nghị; chờ người khác đồng ý.", "Proposed; somebody else must agree.";
    ob_closed: "Tin đã kết thúc.", "The message is ended.";
    ob_needs_reason: "Hãy ghi lý do, tối đa 500 byte.", "Say why, in at most 500 bytes.";
    ob_wrong_state: "Tin đã giao, đã kết thúc hoặc đang được gửi.", "The message is delivered, ended or being sent.";
    ob_needs_another: "Người đề nghị và người đồng ý phải là hai người.", "Somebody else must propose and approve.";
}
