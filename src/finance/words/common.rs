//! What every page says: the frame, the log-in, actions, states.

use super::words;

words! {COMMON,
    app_name: "thuho", "thuho";
    skip_to_content: "Đến nội dung", "Skip to content";
    main_menu: "Mục lục", "Main menu";
    today: "Hôm nay", "Today";
    breaks: "Chênh lệch", "Breaks";
    desk: "Bàn ghép", "Matching desk";
    approvals: "Duyệt", "Approvals";
    files: "Sao kê", "Statements";
    settlement: "Quyết toán", "Settlement";
    minutes: "Biên bản", "Minutes";
    closes: "Chốt sổ", "Closes";
    audit: "Nhật ký", "Audit";
    rules: "Quy tắc tự động", "Rules";
    partners: "Đối tác", "Partners";
    outbox: "Gửi gạch nợ", "Outbox";
    users: "Người dùng", "Users";
    customer: "Khách hàng", "Customer";
    customers: "Khách hàng", "Customers";
    help: "Phím tắt", "Keys";
    log_in: "Đăng nhập", "Log in";
    log_in_what: "Thu hộ tiền điện – bàn đối soát", "Collection of electricity bills – reconciliation desk";
    log_out: "Đăng xuất", "Log out";
    user_name: "Tên người dùng", "User name";
    password: "Mật khẩu", "Password";
    current_password: "Mật khẩu hiện tại", "Current password";
    new_password: "Mật khẩu mới", "New password";
    new_password_again: "Nhập lại mật khẩu mới", "New password again";
    change_password: "Đổi mật khẩu", "Change password";
    password_rules: "Ít nhất 10 ký tự, năm ký tự khác nhau, không chứa tên người dùng.",
        "At least 10 characters, five of them different, without your user name.";
    password_given: "Mật khẩu này do người khác đặt. Hãy đổi trước khi làm việc.",
        "Somebody else set this password. Change it before you work.";
    password_differs: "Hai lần nhập không giống nhau.", "The two new passwords differ.";
    password_refused: "Mật khẩu mới không đạt yêu cầu.", "The new password is not as it must be.";
    password_changed: "Đã đổi mật khẩu.", "The password is changed.";
    wrong_log_in: "Sai tên người dùng hoặc mật khẩu; sau năm lần sai phải chờ vài phút.",
        "Wrong user name or password; after five wrong ones wait some minutes.";
    logged_out: "Đã đăng xuất.", "You are logged out.";
    my_settings: "Cài đặt của tôi", "My settings";
    language: "Ngôn ngữ", "Language";
    language_vi: "Tiếng Việt", "Tiếng Việt";
    language_en: "English", "English";
    theme: "Giao diện", "Theme";
    theme_auto: "Theo máy", "As the machine";
    theme_light: "Sáng", "Light";
    theme_dark: "Tối", "Dark";
    save: "Lưu", "Save";
    saved: "Đã lưu.", "Saved.";
    back: "Quay lại", "Back";
    nothing_there: "(không có)", "(nothing)";
    one_day: "ngày", "day";
    many_days: "ngày", "days";
    period_no: "kỳ", "period";
    to_today: "Về trang Hôm nay", "To the page of today";
    not_done: "Không thực hiện được", "This was not done";
    not_there: "Không có trang hoặc dòng này.", "There is no such page or row.";
    not_allowed: "Vai trò của bạn không cho phép việc này.", "Your roles do not allow this.";
    form_old: "Biểu mẫu đã cũ: hãy tải lại trang và làm lại.", "The form is old: load the page again and repeat.";
    try_again: "Lúc này chưa làm được. Không có gì bị mất; hãy thử lại.", "Not possible right now. Nothing is lost; try again.";
    role_viewer: "Người xem", "Viewer";
    role_maker: "Người lập", "Maker";
    role_checker: "Người duyệt", "Checker";
    role_ops: "Vận hành", "Ops";
    role_admin: "Quản trị", "Admin";
    your_roles: "Vai trò", "Roles";
    close_dialog: "Đóng", "Close";
    key_next: "Dòng sau, dòng trước", "Next row, row before";
    key_open: "Mở dòng", "Open the row";
    key_choose: "Chọn dòng; cùng Shift: chọn cả đoạn", "Choose the row; with Shift: all from the last one to here";
    key_accept: "Nhận gợi ý, duyệt", "Accept the suggestion, approve";
    key_reject: "Từ chối", "Reject";
    key_match: "Ghép, phân bổ", "Match, allocate";
    key_enquire: "Hỏi lại đối tác", "Enquire at the partner";
    key_note: "Ghi chú", "Note";
    key_search: "Tìm kiếm", "Search";
    key_oldest: "Phân bổ cho nợ cũ nhất trước", "Share out, oldest debt first";
    key_apply: "Thực hiện", "Apply";
    key_help: "Bảng phím này", "These keys";
}

impl super::Words {
    /// The keys and what they do.
    #[must_use]
    pub fn keys(self) -> [(&'static str, &'static str); 12] {
        [
            ("J K ↓ ↑", self.key_next()),
            ("Enter", self.key_open()),
            ("X", self.key_choose()),
            ("A", self.key_accept()),
            ("R", self.key_reject()),
            ("M", self.key_match()),
            ("E", self.key_enquire()),
            ("N", self.key_note()),
            ("F", self.key_oldest()),
            ("/", self.key_search()),
            ("Ctrl+Enter", self.key_apply()),
            ("?", self.key_help()),
        ]
    }
}
