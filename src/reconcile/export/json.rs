//! JSON for programs: what the head says, then the rows by the names of their columns. Amounts are integers.

use super::{Cell, Column, ExportError, Out, Table, Writer, text};
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// A JSON being written.
pub struct Json<'o> {
    out: std::io::BufWriter<Out<'o>>,
    columns: Vec<Column>,
    rows: u64,
}

impl<'o> Json<'o> {
    /// With the head.
    pub fn begin(table: &Table<'_>, out: Out<'o>) -> Result<Self, ExportError> {
        let head = &table.head;
        let mut said = head.more.clone();
        let filter: Map<String, Value> =
            head.filter.iter().map(|fact| (fact.name.key.to_owned(), value(&fact.value))).collect();
        let mut totals: Map<String, Value> =
            head.sums.iter().map(|(key, sum)| ((*key).to_owned(), json!(sum))).collect();
        totals.insert("rows".to_owned(), json!(head.rows));
        said.extend([
            ("title".to_owned(), json!({ "vi": table.title.vi, "en": table.title.en })),
            ("filter".to_owned(), Value::Object(filter)),
            ("at".to_owned(), json!(text::instant(head.at))),
            ("author".to_owned(), json!(head.author)),
            ("totals".to_owned(), Value::Object(totals)),
        ]);
        let mut json = Self { out: std::io::BufWriter::new(out), columns: table.columns.to_vec(), rows: 0 };
        // The rows follow within the same braces.
        json.out.write_all(b"{")?;
        for (name, value) in &said {
            writeln!(json.out, "{}:{value},", json!(name))?;
        }
        write!(json.out, "{}:[", json!(table.rows_key))?;
        Ok(json)
    }
}

impl Writer for Json<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        self.out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        self.rows = self.rows.saturating_add(1);
        serde_json::to_writer(&mut self.out, &object(&self.columns, cells)).map_err(std::io::Error::from)?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), ExportError> {
        self.out.write_all(b"\n]}\n")?;
        Ok(self.out.flush()?)
    }
}

/// A row by the names of its columns.
#[must_use]
pub fn object(columns: &[Column], cells: &[Cell<'_>]) -> Value {
    columns.iter().zip(cells).map(|(column, cell)| (column.key.to_owned(), value(cell))).collect()
}

fn value(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(words) => json!(words),
        Cell::Whole(number) => json!(number),
        Cell::Date(day) => json!(day.to_string()),
        Cell::Instant(at) => json!(text::instant(*at)),
        Cell::Flag(yes) => json!(yes),
    }
}
