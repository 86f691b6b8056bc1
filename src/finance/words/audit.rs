//! Words of the page `audit`.

use super::words;

words! {AUDIT,
    au_proof: "Chứng minh sổ sách", "Proof of the books";
    au_last_seal: "Niêm phong gần nhất", "Last seal";
    au_how: "Người vận hành kiểm tra toàn bộ sổ trên máy chủ bằng lệnh:", "Ops prove all of the books on the machine with:";
    au_command: "thuho audit --config …", "thuho audit --config <file>";
    au_certificate: "Tải chứng thư của ngày", "Download the day's certificate";
    au_not_certified: "Chưa lập được chứng thư: ngày chưa được niêm phong, sổ không khớp, hoặc đang có việc dài khác.",
        "No certificate: the day is not under a seal yet, the books do not prove, or other long work is under way.";
    au_sealed: "Ngày chốt gần nhất của từng đối tác", "Last close of each partner";
    au_none_sealed: "Chưa có ngày nào được chốt.", "Nothing is closed yet.";
    au_signed: "Ký bởi, lúc", "Signed by, at";
    au_log: "Nhật ký của bàn đối soát", "Log of the desk";
    au_no_lines: "Không có dòng nào.", "No lines.";
    au_at: "Lúc", "At";
    au_what: "Việc", "What";
    au_subject: "Đối tượng", "About";
    au_did_log_in: "Đăng nhập", "Logged in";
    au_did_look_customer: "Xem khách hàng", "Looked at a customer";
    au_did_look_payments: "Xem danh sách giao dịch", "Looked at payments";
    au_did_look_payment: "Xem giao dịch", "Looked at a payment";
    au_did_look_break: "Xem chênh lệch", "Looked at a break";
    au_did_look_file: "Xem tệp", "Looked at a file";
    au_did_look_minutes: "Xem biên bản", "Looked at minutes";
    au_did_look_outbox: "Xem lệnh gạch nợ", "Looked at the outbox";
    au_did_export: "Xuất danh sách chênh lệch", "Exported breaks";
    au_did_certificate: "Tải chứng thư của ngày", "Downloaded a day's certificate";
    au_did_rule: "Chạy quy tắc tự động", "Ran a rule";
    au_did_pause: "Tạm dừng đối tác", "Paused a partner";
    au_did_resume: "Nhận lại đối tác", "Let a partner go on";
    au_did_redo: "Đọc lại thông báo đã lưu", "Read stored notices again";
    au_did_retry: "Gửi lại lệnh gạch nợ", "Sent a message again";
    au_did_hold: "Giữ lệnh gạch nợ", "Held a message";
    au_did_end: "Đề nghị kết thúc lệnh gạch nợ", "Proposed to end a message";
    au_did_agree: "Đồng ý kết thúc lệnh gạch nợ", "Agreed to end a message";
    au_did_authority: "Cấp hạn mức duyệt", "Gave authority";
    au_did_add: "Thêm người dùng", "Added a user";
    au_did_roles: "Đổi vai trò", "Changed roles";
    au_did_disable: "Khóa hẳn người dùng", "Disabled a user";
    au_did_enable: "Cho phép đăng nhập lại", "Let a user log in again";
    au_did_unlock: "Bỏ tạm khóa", "Ended a lock";
    au_did_password: "Cấp mật khẩu mới", "Gave a new password";
    au_break: "chênh lệch", "break";
}
