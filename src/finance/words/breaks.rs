//! Words of the list of breaks.

use super::words;

words! {BREAKS,
    break_search: "Tìm số tiền, mã, giao dịch, nội dung", "Search amount, code, transaction, text";
    break_filters: "Bộ lọc", "Filters";
    break_state: "Trạng thái", "State";
    break_class: "Loại", "Type";
    break_partner: "Đối tác", "Partner";
    break_channel: "Kênh", "Channel";
    break_unit: "Đơn vị", "Unit";
    break_area: "Khu vực", "Area";
    break_age: "Số ngày", "Age in days";
    break_assignee: "Người xử lý", "Assignee";
    break_leg: "Đối chiếu với", "Compared with";
    break_day: "Ngày hạch toán", "Accounting day";
    break_from: "Từ số tiền", "From amount";
    break_to: "Đến số tiền", "To amount";
    break_order: "Sắp xếp", "Order";
    break_closed_too: "Cả đã đóng", "Also closed";
    break_any: "Tất cả", "All";
    break_newest: "Mới nhất trước", "Newest first";
    break_oldest: "Cũ nhất trước", "Oldest first";
    break_largest: "Lớn nhất trước", "Largest first";
    break_apply_filter: "Lọc", "Filter";
    break_no_filter: "Bỏ lọc", "No filter";
    break_number: "Số", "No.";
    break_theirs: "Bên kia", "Other side";
    break_ours: "Sổ của ta", "Our books";
    break_about: "Hóa đơn, giao dịch", "Bill, payment";
    break_none: "Không có chênh lệch nào theo bộ lọc này.", "There is no break with this filter.";
    break_filter_sum: "Theo bộ lọc", "By this filter";
    break_chosen: "Đã chọn", "Chosen";
    break_rows: "dòng", "rows";
    break_choose: "Chọn dòng", "Choose row";
    break_choose_page: "Chọn cả trang", "Choose the page";
    break_all_of_filter: "Cả bộ lọc, không chỉ các dòng đã chọn", "All of the filter, not only the chosen rows";
    break_next_page: "Trang sau", "Next page";
    break_page_before: "Trang trước", "Page before";
    break_propose: "Đề xuất…", "Propose…";
    break_reason: "Lý do", "Reason";
    break_take: "Nhận xử lý", "Take it";
    break_comment: "Ghi chú", "Comment";
    break_accept: "Cho chuyển kỳ sau", "Carry over";
    break_action: "Cách xử lý", "Resolution";
    break_views: "Bộ lọc đã lưu", "Saved views";
    break_view_name: "Tên bộ lọc", "Name of the view";
    break_keep_view: "Lưu bộ lọc này", "Save this view";
    break_drop_view: "Xóa", "Forget";
    break_too_many_views: "Đã có quá nhiều bộ lọc; hãy xóa bớt.", "There are too many saved views; forget some.";
    break_xlsx: "XLSX", "XLSX";
    break_csv: "CSV", "CSV";
    break_export: "Xuất đúng bộ lọc này", "Export exactly this filter";
    break_marked: "Đã ghi cho", "Done for";
    break_list_moved: "Danh sách đã thay đổi từ lúc hiển thị: hãy tải lại rồi làm lại.",
        "The list has changed since it was shown: load it again and repeat.";
    break_nothing_chosen: "Chưa chọn dòng nào.", "No row is chosen.";
    break_text_needed: "Cần lý do hoặc ghi chú, tối đa 1.000 byte.", "A reason or comment is needed, at most 1,000 bytes.";
    break_too_many: "Bộ lọc có hơn 10.000 dòng; hãy thu hẹp.", "The filter has more than 10,000 rows; narrow it.";
    break_by_class: "Theo loại", "By type";
    area_urban: "Thành thị", "Urban";
    area_rural: "Nông thôn", "Rural";
    area_island: "Hải đảo", "Island";
    break_off: "Lệch", "Off by";
    break_off_is: "Bên kia trừ sổ của ta", "The other side less our books";
    break_concerned: "Giá trị liên quan", "Money concerned";
    break_all_short: "Cả bộ lọc", "All of the filter";
}
