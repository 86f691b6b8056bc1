//! Breaks as a table: exactly those that were asked for, in their order.

use super::differences::column;
use super::{Cell, Column, Fact, Head, Kind, Label, Table};
use crate::domain::time::Timestamp;
use crate::store::desk::BreakView;

/// One break a row.
const COLUMNS: [Column; 18] = [
    column("no", "Số", "Number", Kind::Count),
    column("class", "Mã loại", "Class", Kind::Id),
    column("class_vi", "Loại chênh lệch", "Class (Vietnamese)", Kind::Text),
    column("class_en", "Loại (tiếng Anh)", "Class (English)", Kind::Text),
    column("partner", "Đối tác", "Partner", Kind::Id),
    column("payment", "Mã thanh toán", "Payment", Kind::Id),
    column("invoice_id", "Mã hóa đơn", "Invoice", Kind::Id),
    column("day", "Ngày giao dịch", "Day", Kind::Date),
    column("statement_dong", "Số tiền trên sao kê", "Statement amount", Kind::Dong),
    column("books_dong", "Số tiền trên sổ", "Books amount", Kind::Dong),
    column("amount", "Số tiền", "Amount", Kind::Dong),
    column("state", "Trạng thái", "State", Kind::Text),
    column("assignee", "Người xử lý", "Assignee", Kind::Text),
    column("aged_from", "Ngày hạch toán", "Aged from", Kind::Date),
    column("opened_at", "Phát sinh lúc", "Opened at", Kind::Instant),
    column("closed_at", "Đóng lúc", "Closed at", Kind::Instant),
    column("close_reason", "Hướng xử lý", "Resolution", Kind::Text),
    column("detail", "Diễn giải", "Detail", Kind::Text),
];

/// The table of these breaks, asked for by this filter, for whom and when. Its rows are [`cells`].
#[must_use]
pub fn breaks(views: &[BreakView], filter: Vec<Fact>, author: &str, at: Timestamp) -> Table<'static> {
    // As many as a page holds, each within what one amount may be.
    let sum = views.iter().map(|view| view.amount.dong()).fold(0_i64, i64::saturating_add);
    let head = Head {
        filter,
        at,
        author: author.to_owned(),
        rows: u64::try_from(views.len()).unwrap_or(u64::MAX),
        sums: vec![("amount", sum)],
        figures: Vec::new(),
        more: serde_json::Map::new(),
    };
    let title = Label { vi: "Danh sách chênh lệch", en: "Breaks" };
    Table { title, rows_key: "breaks", columns: &COLUMNS, head }
}

/// A break as cells.
#[must_use]
pub fn cells(view: &BreakView) -> Vec<Cell<'_>> {
    let about = view.class.about();
    vec![
        Cell::Whole(view.no),
        Cell::text(about.code),
        Cell::text(about.label_vi),
        Cell::text(about.label_en),
        Cell::text_if(view.partner.as_ref().map(|partner| partner.as_str())),
        Cell::text_if(view.event.map(|event| event.to_string())),
        Cell::text_if(view.invoice.as_ref().map(|invoice| invoice.as_str())),
        view.leg.map_or(Cell::Empty, |leg| Cell::Date(leg.day)),
        Cell::whole_if(view.leg.and_then(|leg| leg.theirs)),
        Cell::whole_if(view.leg.and_then(|leg| leg.ours)),
        Cell::Whole(view.amount.dong()),
        Cell::text(view.state.word()),
        Cell::text_if(view.assignee.as_ref().map(|assignee| assignee.as_str())),
        Cell::Date(view.aged_from),
        Cell::Instant(view.opened_at),
        view.closed_at.map_or(Cell::Empty, Cell::Instant),
        Cell::text_if(view.close_reason.as_deref()),
        Cell::text(view.detail.as_str()),
    ]
}
