//! What a comparison found, as a table: its differences, with the day's sums above them.

use super::{Cell, Column, Fact, Head, Kind, Label, Table};
use crate::domain::statement::Sum;
use crate::domain::time::Timestamp;
use crate::reconcile::report::{self, Row};
use crate::reconcile::run::Reconciled;
use serde_json::Value;

/// A column or a fact's name.
pub(super) const fn column(key: &'static str, vi: &'static str, en: &'static str, kind: Kind) -> Column {
    Column { key, label: Label { vi, en }, kind }
}

/// One difference a row.
pub const COLUMNS: [Column; 11] = [
    column("class", "Mã loại", "Class", Kind::Id),
    column("class_vi", "Loại chênh lệch", "Class (Vietnamese)", Kind::Text),
    column("note", "Khác ở", "What differs", Kind::Text),
    column("line", "Dòng sao kê", "Statement line", Kind::Count),
    column("payment", "Mã thanh toán", "Payment", Kind::Id),
    column("statement_dong", "Số tiền trên sao kê", "Statement amount", Kind::Dong),
    column("books_dong", "Số tiền trên sổ", "Books amount", Kind::Dong),
    column("difference_dong", "Chênh lệch", "Difference", Kind::Dong),
    column("carried", "Chuyển kỳ sau", "Carried", Kind::Flag),
    column("cause", "Nguyên nhân thường gặp", "Usual cause", Kind::Text),
    column("detail", "Diễn giải", "Detail", Kind::Text),
];

/// A difference as cells.
#[must_use]
pub fn cells<'r>(row: &Row<'r>) -> Vec<Cell<'r>> {
    let about = row.class.about();
    vec![
        Cell::text(about.code),
        Cell::text(about.label_vi),
        Cell::text(row.note),
        Cell::whole_if(row.line),
        Cell::text_if(row.payment.clone()),
        Cell::whole_if(row.theirs),
        Cell::whole_if(row.ours),
        Cell::Whole(row.difference),
        Cell::Flag(row.carried),
        Cell::text(about.cause),
        Cell::text(row.detail),
    ]
}

/// The table of a comparison, for whom and when. Its rows are [`cells`] of [`report::rows`].
#[must_use]
pub fn differences(done: &Reconciled, author: &str, at: Timestamp) -> Table<'static> {
    let fact = |key, vi, en, kind, value| Fact { name: column(key, vi, en, kind), value };
    let subject = &done.subject;
    let filter = vec![
        fact("partner", "Đối tác", "Partner", Kind::Id, Cell::text(subject.partner.to_string())),
        fact("day", "Ngày", "Day", Kind::Date, Cell::Date(subject.day)),
        fact("kind", "Nguồn", "Statement of", Kind::Text, Cell::text(subject.kind.word())),
        fact("file", "Tệp", "File", Kind::Text, Cell::text(done.file.statement.name.clone())),
        fact("sha256", "SHA-256", "SHA-256", Kind::Id, Cell::text(hex::encode(done.file.statement.hash))),
    ];
    let more = match report::summary(done) {
        Value::Object(more) => more,
        _ => serde_json::Map::new(),
    };
    let head = Head {
        filter,
        at,
        author: author.to_owned(),
        rows: u64::try_from(done.compared.differences.len()).unwrap_or(u64::MAX),
        sums: vec![("difference_dong", done.compared.sums.differences.dong)],
        figures: figures(done),
        more,
    };
    let title = Label { vi: "Chênh lệch đối soát", en: "Differences of a comparison" };
    Table { title, rows_key: "differences", columns: &COLUMNS, head }
}

/// The sums of the day, as they tie out.
fn figures(done: &Reconciled) -> Vec<Fact> {
    let (theirs, ours) = (&done.compared.sums.theirs, &done.compared.sums.ours);
    let pair = |vi: [&'static str; 2], en: [&'static str; 2], sum: Sum| {
        let count = Cell::Whole(i64::try_from(sum.count).unwrap_or(i64::MAX));
        [
            Fact { name: column("count", vi[0], en[0], Kind::Count), value: count },
            Fact { name: column("dong", vi[1], en[1], Kind::Dong), value: Cell::Whole(sum.dong) },
        ]
    };
    [
        pair(["Sao kê: số giao dịch", "Sao kê: giá trị"], ["Statement: count", "Statement: dong"], theirs.total),
        pair(["Sổ: số giao dịch", "Sổ: giá trị"], ["Books: count", "Books: dong"], ours.total),
        pair(
            ["Khớp trong ngày: số giao dịch", "Khớp trong ngày: giá trị"],
            ["Matched today: count", "Matched today: dong"],
            theirs.matched_today,
        ),
        pair(
            ["Khớp với kỳ trước: số giao dịch", "Khớp với kỳ trước: giá trị"],
            ["Matched to carried-in: count", "Matched to carried-in: dong"],
            theirs.matched_carried,
        ),
        pair(
            ["Thiếu trên sổ: số giao dịch", "Thiếu trên sổ: giá trị"],
            ["Missing in the books: count", "Missing in the books: dong"],
            theirs.alone,
        ),
        pair(
            ["Thiếu trên sao kê: số giao dịch", "Thiếu trên sao kê: giá trị"],
            ["Missing in the statement: count", "Missing in the statement: dong"],
            ours.alone,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
