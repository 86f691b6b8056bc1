//! Words of the page `users`.

use super::words;

words! {USERS,
    us_state: "Trạng thái", "State";
    us_works: "Đang làm việc", "Active";
    us_disabled: "Đã khóa hẳn", "Disabled";
    us_locked: "Tạm khóa do nhập sai", "Locked after wrong passwords";
    us_given: "Chưa đổi mật khẩu được cấp", "Has not changed the given password";
    us_added: "Thêm lúc, bởi", "Added at, by";
    us_add: "Thêm người dùng", "Add a user";
    us_name_hint: "Chữ không dấu, số và - _ . @; cũng là tên người lập trong sổ. Không đổi được về sau.",
        "Letters, digits and - _ . @; also the author's name in the books. It cannot be changed later.";
    us_made_up_hint: "Mật khẩu do máy đặt, hiện một lần, và phải đổi khi đăng nhập lần đầu.",
        "A password is made up, shown once, and changed at the first log-in.";
    us_bad_name: "Tên không đúng: chỉ dùng chữ không dấu, số và - _ . @, tối đa 64 ký tự.",
        "Not a name: letters, digits and - _ . @ only, at most 64.";
    us_no_role: "Hãy chọn ít nhất một vai trò.", "Choose at least one role.";
    us_taken: "Tên này đã có người dùng.", "The name is taken.";
    us_rights: "Vai trò nào được làm gì", "What each role may do";
    us_right: "Quyền", "Right";
    us_right_look: "Xem số liệu", "See figures";
    us_right_payers: "Xem đầy đủ dữ liệu khách hàng", "See payers in full";
    us_right_propose: "Nhận sao kê, đối soát, đề xuất", "Take statements, compare, propose";
    us_right_decide: "Duyệt, từ chối, ký chốt", "Approve, reject, sign";
    us_right_operate: "Vận hành lệnh gạch nợ và đối tác", "Operate messages and partners";
    us_right_manage: "Quản lý người dùng và hạn mức duyệt", "Manage users and authorities";
    us_right_oversee: "Xem nhật ký", "See the audit";
    us_yes: "có", "yes";
    us_no: "không", "no";
    us_two_rules: "Trên mọi vai trò: không ai tự duyệt việc của mình, và không ai duyệt quá hạn mức của mình.",
        "Above all roles: nobody approves their own, and nobody beyond their authority.";
    us_authorities: "Hạn mức duyệt", "Authorities";
    us_no_authorities: "Chưa cấp hạn mức duyệt nào.", "No authorities.";
    us_person: "Người", "Person";
    us_action: "Việc", "Action";
    us_up_to: "Đến số tiền", "Up to";
    us_given_by: "Do ai cấp, lúc", "Given by, at";
    us_none: "không có", "none";
    us_none_box: "Thu hồi", "Take it away";
    us_give: "Cấp hạn mức duyệt", "Give authority";
    us_authority_given: "Đã ghi hạn mức duyệt.", "The authority is noted.";
    us_bad_authority: "Hãy nhập người, việc và số tiền (hoặc chọn thu hồi).",
        "Say a person, an action and a sum (or take it away).";
    us_not_to_yourself: "Không ai tự cấp hạn mức duyệt cho mình.", "Nobody gives authority to themselves.";
    us_needs_two: "Hạn mức duyệt cần hai quản trị viên: người đã thêm ai hoặc cấp mật khẩu gần nhất cho ai thì không cấp hạn mức cho người đó, và quản trị viên nhận mật khẩu từ chính người ấy cũng không.",
        "Authority needs two admins: whoever added somebody, or last gave them a password, gives them no authority, nor does an admin whose password is from the same person.";
    us_not_by_you: "Bạn đã thêm người này hoặc cấp mật khẩu gần nhất cho họ, hoặc mật khẩu của bạn cũng do người ấy cấp: hãy để quản trị viên khác cấp hạn mức duyệt.",
        "You added this person or last gave them a password, or yours is from whoever did: another admin gives the authority.";
    us_withdrawn: "Các hạn mức duyệt đã bị thu hồi:", "These authorities are withdrawn:";
    us_given_again: "Chỉ quản trị viên khác, không phải người đã thêm hoặc vừa cấp mật khẩu, cấp lại được.",
        "Only another admin, who neither added this person nor gave the password, gives them again.";
    us_password_by: "Mật khẩu do ai cấp gần nhất", "Password last given by";
    us_not_yourself: "Không ai tự đổi vai trò, mật khẩu được cấp hay trạng thái của mình ở đây.",
        "Nobody changes their own roles, given password or state here.";
    us_failures: "Số lần nhập sai liên tiếp", "Wrong passwords in a row";
    us_locked_until: "Tạm khóa đến", "Locked until";
    us_change_roles: "Đổi vai trò", "Change roles";
    us_log_in: "Đăng nhập và mật khẩu", "Log-in and password";
    us_new_password: "Cấp mật khẩu mới", "Give a new password";
    us_new_password_hint: "Mọi phiên đang mở của người này sẽ kết thúc và mọi hạn mức duyệt bị thu hồi.",
        "Every session of this person ends, and every authority is withdrawn.";
    us_disable_hint: "Mọi phiên sẽ kết thúc và mọi hạn mức duyệt bị thu hồi; cho phép đăng nhập lại không trả chúng về.",
        "Every session ends, and every authority is withdrawn; letting this person log in again does not bring them back.";
    us_unlock: "Bỏ tạm khóa", "End the lock";
    us_enable: "Cho phép đăng nhập lại", "Let this person log in again";
    us_disable: "Khóa hẳn người dùng", "Disable this user";
    us_roles_changed: "Đã đổi vai trò.", "The roles are changed.";
    us_was_disabled: "Đã khóa người dùng; mọi phiên đã kết thúc, mọi hạn mức duyệt đã thu hồi.",
        "The user is disabled; every session has ended, every authority is withdrawn.";
    us_was_enabled: "Người dùng đăng nhập lại được.", "The user may log in again.";
    us_was_unlocked: "Đã bỏ tạm khóa.", "The lock is ended.";
    us_password_of: "Mật khẩu của", "Password of";
    us_password_once: "Chỉ hiện một lần: hãy chuyển cho người dùng ngay.", "It is shown once: hand it over now.";
}
