//! A day of finance by mouse, in Vietnamese: one person finds, proposes, brings files and draws up; another one decides and
//! signs. What each of them reads on the way is what the books of the demo hold.

use crate::desk::{self, CHECKER, DAY, Demo, MAKER, NEXT_DAY, Tongue, figure, log_out, scroll_and_click, set_day};
use crate::find::Finds;
use crate::page::Page;
use crate::part::Part;
use crate::quiet::Noise;
use std::path::{Path, PathBuf};

const REASON: &str = "Đối tác xác nhận phí tháng 11, không chuyển tiền";
const SHARED: &str = "Khách xác nhận trả hóa đơn này";

/// The first row of a table that says this.
#[track_caller]
fn row(page: &Page, says: &str) -> Part {
    page.shows(says);
    let rows = page.all("tbody tr[data-row]");
    let found = rows.into_iter().find(|row| row.text().contains(says));
    found.unwrap_or_else(|| panic!("no row says {says:?} on {}: {}", page.url(), page.text()))
}

/// Follows a link of the menu.
#[track_caller]
fn menu(page: &Page, name: &str) {
    page.loads(|page| page.css("header nav").link(name).click());
    assert_eq!(desk::status(page), 200, "{name}");
}

/// A day of the demo, and everybody with the authority that the day needs.
fn begun(test: &str) -> Option<(Page, Demo)> {
    let page = Page::open(test)?;
    let demo = Demo::start(300);
    demo.authorise(&page, CHECKER, &["Đóng chênh lệch", "Phân bổ hoặc hoàn"]);
    Some((page, demo))
}

#[test]
fn a_break_is_found_proposed_and_approved() {
    let Some((page, demo)) = begun("a break by mouse") else { return };
    demo.log_in(&page, MAKER, Tongue::Vi);
    let no = finds(&page);
    reads(&page);
    proposes(&page, &no);
    log_out(&page, Tongue::Vi);
    demo.log_in(&page, CHECKER, Tongue::Vi);
    approves(&page, REASON);
    page.goto(&demo.url(&format!("/breaks/{no}")));
    page.shows("Đã đóng");
    assert!(page.text().contains(REASON), "the history keeps why");
}

/// From the figure on Today to the break's own page, by search. Says its number.
fn finds(page: &Page) -> String {
    let tile = page.css("a.tile[href='/breaks']");
    let open = figure(&tile.css("strong").text());
    assert!(open > 20, "{open} open breaks");
    page.loads(|_| tile.click());
    assert_eq!(page.all("tbody tr[data-row]").len(), usize::try_from(open).unwrap(), "the figure's rows");
    menu(page, "Hôm nay");
    let standard = row(page, "standard");
    let of_day = standard.css("td[data-name='Chênh lệch mở'] a");
    let (count, sum) = of_day.text().split_once('\n').map(|(a, b)| (figure(a), figure(b))).unwrap();
    page.loads(|_| of_day.click());
    assert_eq!(page.all("tbody tr[data-row]").len(), usize::try_from(count).unwrap());
    assert_eq!(figure(&page.css("#filter-sum").text()), sum, "the foot is the figure's sum");

    let fee = row(page, "Lệch phí");
    let (no, amount) = (fee.css("a[data-open]").text(), fee.css("td.concerned").text());
    menu(page, "Chênh lệch");
    page.field("Tìm số tiền, mã, giao dịch, nội dung").fill(&amount);
    page.loads(|page| page.press("Enter"));
    let found = page.all("tbody tr[data-row]");
    assert_eq!(found.len(), 1, "{amount} is one break");
    assert_eq!(found.first().unwrap().css("a[data-open]").text(), no);
    page.loads(|page| page.link("Bỏ lọc").click());
    page.loads(|page| page.css(&format!("[data-row='{no}'] a[data-open]")).click());
    assert!(page.text().contains(&format!("#{no} Lệch phí")));
    no
}

/// Four sides, why, and the bytes that came.
fn reads(page: &Page) {
    let head = page.css("table.sides thead").text();
    for column in ["Thông báo", "Sao kê", "Gạch nợ", "Ngân hàng"] {
        assert!(head.contains(column), "{column} in: {head}");
    }
    assert_eq!(page.all("table.sides thead th").len(), 5, "a name and four sides");
    let fee = page.all("table.sides tbody tr").into_iter().find(|row| row.css("th").text() == "Phí").unwrap();
    assert_eq!(fee.all("td.differs").len(), 1, "one of two differs: {}", fee.text());
    let text = page.text();
    for part in ["Vì sao lệch", "Phiên bản quy tắc", "Trường lệch", "Thường do", "Khi nào thì khớp"]
    {
        assert!(text.contains(part), "{part} in: {text}");
    }
    let calls = page
        .all("details")
        .into_iter()
        .find(|one| one.css("summary").text().starts_with("Thông báo nhận từ đối tác"))
        .unwrap();
    assert!(!calls.css("pre").is_seen(), "the bytes are not in the way");
    scroll_and_click(page, &calls.css("summary"));
    assert!(calls.css("pre").is_seen());
    let body = calls.css("pre").text();
    assert!(body.starts_with("{\"type\":\"payment.succeeded\"") && body.contains("\"amount\":"), "{body}");
}

fn proposes(page: &Page, no: &str) {
    let close = page.css("details[data-key=r]");
    close.css("summary").click();
    close.field("Lý do").fill(REASON);
    page.loads(|_| close.button("Trình duyệt").click());
    page.shows(&format!("#{no}"));
    assert!(page.css("p.said").text().contains("đã trình duyệt."), "{}", page.css("p.said").text());
}

/// Decides what was proposed for a reason.
fn approves(page: &Page, reason: &str) {
    menu(page, "Duyệt");
    page.loads(|page| row(page, reason).css("a.code").click());
    let text = page.text();
    assert!(text.contains(MAKER) && text.contains("Mã băm danh sách") && text.contains("chưa"), "{text}");
    page.loads(|page| page.css("button[data-key=a]").click());
    assert_eq!(page.css("p.said").text(), "Đã duyệt. 1 dòng đã thực hiện, 0 dòng không thực hiện được.");
    assert_eq!(page.css("dl.facts .tag").text(), "Đã thực hiện");
    assert!(page.css("tbody tr[data-row] .good").text().starts_with('✓'));
    assert!(page.all("button[data-key=a]").is_empty(), "nobody decides twice");
}

#[test]
fn a_parked_transfer_is_shared_out_and_approved() {
    let Some((page, demo)) = begun("the matching desk by mouse") else { return };
    demo.log_in(&page, MAKER, Tongue::Vi);
    menu(&page, "Bàn ghép");
    page.loads(|page| page.css("select[name=class]").choose("Lệch số tiền"));
    let parked = page.css("tbody tr[data-row]");
    let amount = figure(&parked.css("td[data-name='Số tiền']").text());
    page.loads(|_| parked.css("a.code").click());
    let no = page.url().rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let rest = || figure(&page.css("[data-rest]").text());
    assert_eq!(rest(), amount, "nothing is on an invoice yet");
    page.loads(|page| page.css("a[data-key=a]").click());
    let shared: i64 =
        shares(&page).iter().map(|field| field.value()).filter(|v| !v.is_empty()).map(|v| figure(&v)).sum();
    assert!(shared > 0 && shared <= amount, "{shared} of {amount}");
    assert_eq!(rest(), amount - shared);
    // What is left stays in suspense; the sum is worked out as it is typed.
    let first = shares(&page).into_iter().find(|field| !field.value().is_empty()).unwrap();
    first.fill("1000");
    assert!(rest() > amount - shared);
    first.fill(&shared.to_string());
    assert_eq!(rest(), amount - shared);
    page.field("Lý do").fill(SHARED);
    page.loads(|page| page.button("Trình duyệt").click());
    assert!(page.css("p.said").text().contains(&format!("#{no}")), "{}", page.css("p.said").text());
    log_out(&page, Tongue::Vi);
    demo.log_in(&page, CHECKER, Tongue::Vi);
    approves(&page, SHARED);
}

fn shares(page: &Page) -> Vec<Part> {
    page.all("input[name=share]")
}

const HEADER: &str = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at\n";

/// A file as the standard profile's layout says.
fn file(dir: &Path, name: &str, amount: &str) -> PathBuf {
    let path = dir.join(name);
    let line = format!("pay-mouse,payment.succeeded,HD-LA,,,{amount},0,1100,{NEXT_DAY}T05:00:00+07:00\n");
    std::fs::write(&path, format!("{HEADER}{line}TOTAL,count,1,,,150000,,,\n")).unwrap();
    path
}

/// Gives a file to the form of files.
fn bring(page: &Page, file: &Path) {
    menu(page, "Sao kê");
    let form = page.css("#bring");
    form.field("Đối tác").choose("standard");
    form.field("Nguồn").choose("Sao kê đối tác");
    set_day(page, &form.field("Ngày sao kê"), NEXT_DAY);
    form.css("input[type=file]").attach(file);
    page.loads(|_| form.button("Kiểm tra và nhận tệp").click());
}

#[test]
fn statements_are_refused_taken_and_compared() {
    let test = "statements by mouse";
    let Some(page) = Page::open(test) else { return };
    let demo = Demo::start(100);
    demo.log_in(&page, MAKER, Tongue::Vi);
    let dir = tempfile::tempdir().unwrap();
    bring(&page, &file(dir.path(), "sai.csv", "150.000 đồng"));
    page.shows("Tệp không đúng mẫu: không dòng nào được nhận.");
    let wrong = page.css("tbody tr").text();
    assert!(wrong.starts_with("2 amount 150.000 đồng"), "row, column and what is there: {wrong}");
    // What is refused is an error in the console, and no fault here.
    assert!(matches!(&*page.noise(), [Noise::Console(text)] if text.contains("422")));
    bring(&page, &file(dir.path(), "đúng.csv", "150000"));
    page.shows("Đã nhận tệp. Bước tiếp theo: đối soát.");
    assert!(page.text().contains("đúng.csv"));
    let line = row(&page, "pay-mouse").text();
    assert!(line.contains("150.000") && line.contains("chưa đối soát"), "{line}");
    page.loads(|page| page.css("button[data-key=a]").click());
    page.shows("Kết quả đối soát");
    page.shows("Bảng cân đối");
    page.loads(|page| page.css("a.button[data-key=m]").click());
    let found = row(&page, "Thiếu thông báo").text();
    assert!(found.contains("150.000"), "{found}");
    // The same bytes again change nothing.
    bring(&page, &dir.path().join("đúng.csv"));
    page.shows("Tệp này đã được nhận trước đây; không có gì thay đổi.");
    exports(&page);
}

/// Exactly the filter, as two kinds of file.
fn exports(page: &Page) {
    menu(page, "Chênh lệch");
    let rows = page.all("tbody tr[data-row]").len();
    page.link("XLSX").click();
    let book = std::fs::read(page.downloaded("breaks.xlsx")).unwrap();
    assert!(book.starts_with(b"PK\x03\x04"), "a workbook is a zip");
    page.link("CSV").click();
    let table = std::fs::read_to_string(page.downloaded("breaks.csv")).unwrap();
    assert!(table.lines().count() > rows, "a head and {rows} rows: {table}");
    assert!(table.contains("MISSING_WEBHOOK"), "{table}");
}

/// The page of a period of the standard collector.
#[track_caller]
fn period(page: &Page, name: &str) {
    menu(page, "Chốt sổ");
    page.loads(|page| page.css("select[name=partner]").choose("standard"));
    page.loads(|page| row(page, name).css("a[data-open]").click());
}

#[test]
fn a_day_is_opened_again_drawn_up_signed_and_put_on_paper() {
    let Some(page) = Page::open("a close by mouse") else { return };
    let demo = Demo::start(100);
    demo.authorise(&page, CHECKER, &["Mở lại sổ đã chốt"]);
    demo.log_in(&page, CHECKER, Tongue::Vi);
    period(&page, "20/11/2026");
    assert!(page.text().contains("✓ Đã chốt sổ"));
    page.field("Lý do mở lại").fill("Đối tác gửi lại sao kê");
    page.loads(|page| page.css("form[action$='/reopen'] button").click());
    assert_eq!(page.css("p.said").text(), "Đã mở lại kỳ này.");
    log_out(&page, Tongue::Vi);

    demo.log_in(&page, MAKER, Tongue::Vi);
    period(&page, "21/11/2026");
    page.loads(|page| page.css("form[action$='/draft'] button").click());
    let wrong = page.css("p.wrong").text();
    assert!(wrong.contains("Kỳ chưa kết thúc"), "{wrong}");
    // What cannot be done is an error in the console, and no fault here.
    assert!(matches!(&*page.noise(), [Noise::Console(text)] if text.contains("409")));
    period(&page, "20/11/2026");
    page.css("textarea[name=accept]").fill("Đang chờ đối tác trả lời");
    page.loads(|page| page.css("form[action$='/draft'] button").click());
    assert_eq!(page.css("p.said").text(), "Đã lập bản chốt. Người khác sẽ ký.");
    assert!(page.all("form[action$='/sign']").is_empty(), "a maker does not sign");
    let hash = page.css("dd.code").text();
    let address = page.url().split('?').next().unwrap().to_owned();
    log_out(&page, Tongue::Vi);

    demo.log_in(&page, CHECKER, Tongue::Vi);
    page.goto(&address);
    assert_eq!(page.css("dd.code").text(), hash, "the draft that was drawn up");
    page.loads(|page| page.css("form[action$='/sign'] button").click());
    assert_eq!(page.css("p.said").text(), "Đã ký: kỳ này đã chốt sổ.");
    assert!(page.text().contains("Đối tác gửi lại sao kê"), "the version before, and why it ended");
    minutes(&page);
}

/// The minutes of the day that is sealed, to look at and as a file.
fn minutes(page: &Page) {
    menu(page, "Biên bản");
    page.css("select[name=partner]").choose("standard");
    for field in ["Từ ngày", "Đến ngày"] {
        set_day(page, &page.field(field), DAY);
    }
    page.loads(|page| page.button("Lập biên bản").click());
    page.link("Tải về").click();
    let saved = page.downloaded(&format!("bien-ban-doi-soat-standard-{DAY}-{DAY}.html"));
    assert!(std::fs::read_to_string(saved).unwrap().starts_with("<!doctype html>"));
    let form = page.url();
    page.loads(|page| page.link("Mở để in").click());
    let paper = page.text();
    assert!(paper.to_uppercase().contains("BIÊN BẢN") && paper.contains("standard"), "{paper}");
    assert!(!paper.contains("BẢN NHÁP"), "the day is sealed");
    page.goto(&form);
}
