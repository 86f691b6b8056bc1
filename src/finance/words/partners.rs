//! Words of the page `partners`.

use super::words;

words! {PARTNERS,
    pt_heard: "Thông báo gần nhất", "Last notice";
    pt_none: "Chưa có đối tác nào.", "No partners.";
    pt_open: "Đang nhận", "Open";
    pt_paused: "Tạm dừng", "Paused";
    pt_clock_off: "Đồng hồ lệch", "Clock is off";
    pt_count: "Giao dịch trong ngày", "Payments of the day";
    pt_repeats: "Lần gửi lặp", "Repeats";
    pt_unproved: "Thông báo sai chữ ký còn giữ", "Unproved notices kept";
    pt_about: "Mô tả", "About";
    pt_calendar: "Lịch nghỉ lễ", "Holidays";
    pt_no_calendar: "chưa có", "not known";
    pt_calendar_to: "đã có đến hết năm", "known to the end of";
    pt_calendar_ends: "Hãy bổ sung lịch năm sau.", "Add the next year's calendar.";
    pt_calendar_missing: "Chưa có lịch nghỉ lễ: hạn tiền về chỉ trừ thứ Bảy và Chủ nhật. Hãy bổ sung.",
        "No holidays are known: due days count weekends alone. Add a calendar.";
    pt_provisional: "Hồ sơ tạm", "Provisional profile";
    pt_pause: "Tạm dừng đối tác", "Pause the partner";
    pt_resume: "Nhận lại đối tác", "Let the partner go on";
    pt_redo: "Đọc lại các thông báo đã lưu", "Read stored notices again";
    pt_operate_hint: "Khi tạm dừng, thông báo có chữ ký đúng vẫn được lưu và đọc lại sau.",
        "While it is paused its proved notices are kept and may be read later.";
    pt_was_paused: "Đã tạm dừng đối tác.", "The partner is paused.";
    pt_was_resumed: "Đã nhận lại đối tác.", "The partner goes on.";
    pt_was_redone: "Đã đọc lại các thông báo đã lưu.", "Stored notices were read again.";
    pt_redone_read: "Đã hiểu và ghi", "Understood and written";
    pt_terms: "Hợp đồng và quyết toán", "Contract and terms";
    pt_name: "Tên", "Name";
    pt_contract: "Số hợp đồng", "Contract";
    pt_contract_date: "Ngày hợp đồng", "Contract date";
    pt_layouts: "Mẫu sao kê", "Statement layouts";
    pt_any_format: "mọi dạng", "any format";
    pt_settles: "Quyết toán", "Pays out";
    pt_working_days: "ngày làm việc", "working days";
    pt_calendar_days: "ngày lịch", "calendar days";
    pt_net: "trừ phí trước khi chuyển", "fees kept back";
    pt_gross: "chuyển đủ, phí xuất hóa đơn riêng", "paid out whole, fees invoiced";
    pt_kind_partner: "đối tác", "partner";
    pt_kind_core: "hệ thống hóa đơn", "core";
    pt_kind_bank: "ngân hàng", "bank";
    pt_calls: "Thông báo nhận trong 24 giờ qua, theo kết quả", "Notices of the last 24 hours, by what became of them";
    pt_newest: "Chỉ xét số thông báo mới nhất của mọi đối tác", "Looked at only the newest notices of all partners";
    pt_no_calls: "24 giờ qua chưa có thông báo nào.", "No notices in the last 24 hours.";
    pt_verdict: "Kết quả", "Verdict";
    pt_calls_count: "Số thông báo", "Notices";
    pt_v_settled: "Gạch nợ", "Cleared";
    pt_v_parked: "Treo", "In suspense";
    pt_v_reversal: "Hủy giao dịch", "Reversal";
    pt_v_reversal_refused: "Từ chối hủy", "Reversal refused";
    pt_v_conflict: "Trùng mã khác nội dung", "Same transaction, other content";
    pt_v_not_a_payment: "Không phải thanh toán", "Not a payment";
    pt_v_refused: "Từ chối trước khi trừ tiền", "Refused before the debit";
    pt_v_stale: "Quá cũ hoặc lệch giờ", "Stale";
    pt_v_unreadable: "Không đọc được", "Not understood";
    pt_v_paused: "Đến khi tạm dừng", "Came while paused";
    pt_v_created: "Lập từ sao kê", "Made from a statement";
    pt_keys: "Khóa", "Keys";
    pt_key: "Mã khóa", "Key";
    pt_key_live: "Đang dùng", "In use";
    pt_key_later: "Chưa đến hạn dùng", "Not yet";
    pt_key_over: "Hết hạn", "Over";
    pt_from: "Từ lúc", "From";
    pt_until: "Đến lúc", "Until";
}
