//! Words of statements: files, long work on them, and comparisons.

use super::words;

words! {FILES,
    file_kind_partner: "Sao kê đối tác", "Partner's statement";
    file_kind_core: "Danh sách gạch nợ", "Core's clearing list";
    file_kind_bank: "Sao kê ngân hàng", "Bank statement";
    file_state_reading: "Đang đọc", "Being read";
    file_state_taken: "Đang dùng", "In force";
    file_state_superseded: "Đã bị thay thế", "Superseded";
    file_filters: "Lọc tệp", "Filter the files";
    file_filter: "Lọc", "Filter";
    file_partner: "Đối tác", "Partner";
    file_kind: "Nguồn", "Source";
    file_day: "Ngày sao kê", "Day of the statement";
    file_state: "Trạng thái", "State";
    file_any: "Tất cả", "All";
    file_no: "Số", "No.";
    file_name: "Tên tệp", "File name";
    file_hash: "Mã băm SHA-256", "SHA-256 hash";
    file_size: "Dung lượng", "Size";
    file_bytes: "byte", "bytes";
    file_rows: "dòng", "rows";
    file_lines: "Số dòng", "Lines";
    file_payments: "Thanh toán", "Payments";
    file_reversals: "Hủy giao dịch", "Reversals";
    file_ignored: "Không chuyển tiền", "Moves nothing";
    file_count: "Số lượng", "Count";
    file_dong: "Số tiền", "Amount";
    file_by: "Người nhận tệp", "Brought by";
    file_at: "Lúc", "At";
    file_page_totals: "Cộng các tệp đang dùng trên trang này", "Sum of the files in force on this page";
    file_none: "Không có tệp nào khớp bộ lọc.", "No file matches the filter.";
    file_next: "Trang sau", "Next page";
    file_first: "Trang đầu", "First page";
    file_bring: "Nhận tệp sao kê", "Bring a statement file";
    file_choose: "Tệp (CSV hoặc XLSX)", "File (CSV or XLSX)";
    file_bring_hint: "Tệp được kiểm tra toàn bộ trước; có một chỗ sai thì không dòng nào được nhận. Tệp mới của cùng ngày thay thế tệp cũ.",
        "The whole file is checked first; one wrong place and no line of it is taken. A new file of the same day takes the place of the old one.";
    file_bring_now: "Kiểm tra và nhận tệp", "Check and take the file";
    file_bad_filter: "Bộ lọc không hợp lệ.", "The filter is not one of ours.";
    file_bad_day: "Ngày không hợp lệ.", "This is not a day.";
    file_no_partner: "Không có đối tác này.", "There is no such partner.";
    file_no_layout: "Hồ sơ của đối tác chưa khai báo mẫu tệp cho nguồn này.", "The partner's profile has no layout of such a file.";
    file_none_chosen: "Chưa chọn tệp.", "No file was chosen.";
    file_too_large: "Tệp quá lớn.", "The file is too large.";
    file_done_taken: "Đã nhận tệp. Bước tiếp theo: đối soát.", "The file is taken. Next: compare it.";
    file_done_before: "Tệp này đã được nhận trước đây; không có gì thay đổi.", "This file was taken before; nothing changed.";
    file_supersedes: "Thay thế tệp số", "Takes the place of file no.";
    file_compare_now: "Đối soát ngay", "Compare now";
    file_compared_link: "Xem kết quả đối soát", "See the comparison's result";
    file_line: "Dòng", "Line";
    file_row: "Hàng trong tệp", "Row in the file";
    file_event: "Mã giao dịch của đối tác", "Partner's transaction id";
    file_movement: "Loại", "Kind";
    file_discount: "Khuyến mãi", "Discount";
    file_fee: "Phí", "Fee";
    file_customer: "Mã khách hàng", "Customer code";
    file_invoice: "Hóa đơn", "Invoice";
    file_order: "Mã đơn hàng", "Order reference";
    file_paid_at: "Trả lúc", "Paid at";
    file_matched: "Khớp", "Matched";
    file_is_matched: "✓ đã khớp", "✓ matched";
    file_is_not_matched: "✗ chưa khớp", "✗ not matched";
    file_lines_of: "Các dòng của tệp", "Lines of the file";
    file_no_lines: "Tệp chưa có dòng nào.", "The file has no lines yet.";
    file_masked: "Mã khách hàng và nội dung được che theo vai trò của bạn.", "Customer codes and texts are masked for your roles.";
    file_sums: "Tổng của tệp", "Sums of the file";
    file_works: "Đang chạy", "Under way";
    file_work_take: "Nhận tệp", "Taking a file";
    file_work_compare: "Đối soát", "Comparing";
    file_work_waits: "đang bắt đầu hoặc chờ đến lượt", "starting, or waiting for its turn";
    file_work_progress: "Tiến độ", "Progress";
    file_work_leave: "Có thể rời trang này rồi quay lại: việc vẫn chạy.", "You may leave this page and come back: the work goes on.";
    file_work_look: "Xem lại tiến độ", "Look again";
    file_work_by: "Người bắt đầu", "Begun by";
    file_work_since: "Từ lúc", "Since";
    file_work_again: "Nhận tệp khác", "Bring another file";
    file_work_gone: "Máy chủ này không còn nhớ việc đó (đã khởi động lại, hoặc việc chạy ở máy khác). Hãy xem danh sách sao kê để biết kết quả.",
        "This server does not remember that work (it was started again, or the work runs on another one). See the list of statements for what came of it.";
    file_refused: "Tệp không đúng mẫu: không dòng nào được nhận. Hãy sửa các chỗ dưới đây rồi nhận lại.",
        "The file is not as its layout says: no line of it is taken. Correct the places below and bring it again.";
    file_faults: "Các chỗ sai", "Wrong places";
    file_faults_more: "Chỉ liệt kê các chỗ sai đầu tiên.", "Only the first wrong places are listed.";
    file_column: "Cột", "Column";
    file_found: "Trong tệp có", "Found";
    file_expected: "Phải là", "Expected";
    file_no_superseded: "Tệp này từng được nhận và đã bị một tệp sửa thay thế: không nhận lại.",
        "This file was taken before, and a corrected one took its place: it is not taken again.";
    file_no_sealed: "Ngày này đã chốt sổ: phải mở lại trước khi nhận tệp khác.",
        "The day is sealed: it must be opened again before another file of it is taken.";
    file_no_changed: "Tệp bị thay đổi trong lúc đọc. Hãy nhận lại.", "The file changed while it was read. Bring it again.";
    compare_title: "Kết quả đối soát", "Result of the comparison";
    compare_done: "Đã đối soát.", "The day is compared.";
    compare_never: "Ngày này chưa được đối soát với nguồn đó.", "The day was never compared with that source.";
    compare_again: "Đối soát lại", "Compare again";
    compare_no: "Lần đối soát số", "Comparison no.";
    compare_rules: "Phiên bản quy tắc", "Version of the rules";
    compare_by: "Người đối soát", "Compared by";
    compare_file: "Tệp đã dùng", "File that was used";
    compare_sums: "Bảng cân đối", "Sums that tie out";
    compare_part: "Khoản mục", "Part";
    compare_statement: "Theo sao kê", "By the statement";
    compare_books: "Theo sổ", "By the books";
    compare_total: "Tổng trong ngày", "Total of the day";
    compare_matched_today: "Khớp trong ngày", "Matched within the day";
    compare_matched_carried: "Khớp với khoản chuyển từ kỳ trước", "Matched with what was carried in";
    compare_alone: "Chỉ một bên có", "Missing on the other side";
    compare_mismatched: "Hai bên cùng có nhưng lệch", "On both sides, and different";
    compare_carried_out: "Trong đó chuyển kỳ sau", "Of these, carried over";
    compare_carried_in: "Chuyển từ kỳ trước", "Carried in from earlier days";
    compare_carried_in_matched: "Đã khớp hôm nay", "Matched now";
    compare_carried_in_alone: "Vẫn chỉ một bên có", "Still missing on the other side";
    compare_carried_in_mismatched: "Hai bên cùng có nhưng lệch (chuyển từ kỳ trước)",
        "On both sides now, and different";
    compare_less: "Chênh lệch (sao kê trừ sổ)", "Statement less books";
    compare_ties: "✓ Không có chênh lệch", "✓ No difference";
    compare_open_breaks: "Xem các chênh lệch của ngày", "See the day's breaks";
    compare_export_xlsx: "Xuất XLSX", "Export XLSX";
    compare_export_csv: "Xuất CSV", "Export CSV";
    compare_no_statement: "Chưa nhận sao kê nào của ngày này.", "No statement of that day was taken.";
    compare_bank_leg: "Tiền về ngân hàng được đối soát theo lô, không theo từng giao dịch.",
        "A bank's credits are compared by batch, not payment by payment.";
    compare_sealed: "Ngày này đã chốt sổ: phải mở lại trước khi đối soát lại.",
        "The day is sealed: it must be opened again before it is compared again.";
    compare_out_of_range: "Số tiền vượt quá phạm vi tính được.", "The money is beyond what can be counted.";
    compare_untied: "Kết quả không cân: không có gì được ghi. Hãy báo vận hành.",
        "The comparison does not tie out: nothing was written. Tell ops.";
    compare_no_terms: "Hồ sơ của đối tác chưa khai báo kỳ quyết toán.", "The partner's profile has no terms of settlement.";
    compare_as_of: "Sao kê ngân hàng biết đến ngày", "Bank known up to";
    compare_batches: "Số lô", "Batches";
    compare_differing: "Số lô lệch", "Batches that differ";
    compare_gross: "Tổng thu", "Collected";
    compare_utility_share: "Phần khuyến mãi điện lực chịu", "Discounts that the utility bears";
    compare_fees_kept: "Phí đối tác giữ lại", "Fees kept back";
    compare_expected: "Phải về", "Expected";
    compare_credited: "Đã về", "Credited";
    compare_difference: "Chênh lệch tiền về", "Difference";
}
