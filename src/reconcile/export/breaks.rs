//! Breaks as a table: exactly those that were asked for, in their order.

use super::differences::column;
use super::{Cell, Column, Fact, Head, Kind, Label, Table};
use crate::domain::time::Timestamp;
use crate::store::reports::BreakView;

/// One break a row.
const COLUMNS: [Column; 11] = [
    column("no", "Số", "Number", Kind::Count),
    column("class", "Mã loại", "Class", Kind::Id),
    column("class_vi", "Loại chênh lệch", "Class (Vietnamese)", Kind::Text),
    column("class_en", "Loại (tiếng Anh)", "Class (English)", Kind::Text),
    column("partner", "Đối tác", "Partner", Kind::Id),
    column("payment", "Mã thanh toán", "Payment", Kind::Id),
    column("invoice_id", "Mã hóa đơn", "Invoice", Kind::Id),
    column("amount", "Số tiền", "Amount", Kind::Dong),
    column("opened_at", "Mở lúc", "Opened at", Kind::Instant),
    column("closed_at", "Đóng lúc", "Closed at", Kind::Instant),
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
        Cell::Whole(view.amount.dong()),
        Cell::Instant(view.opened_at),
        view.closed_at.map_or(Cell::Empty, Cell::Instant),
        Cell::text(view.detail.as_str()),
    ]
}
