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
}
