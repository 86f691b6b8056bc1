//! The desk without scripts: a break is found, proposed and approved by links and forms alone.

use crate::desk::{CHECKER, Demo, MAKER, Tongue, log_out};
use crate::find::Finds;
use crate::page::Page;

const REASON: &str = "Phí đúng theo phụ lục, không chuyển tiền";

#[test]
fn scripts_are_a_convenience() {
    let Some(page) = Page::open("without scripts") else { return };
    let demo = Demo::start(300);
    page.without_scripts();
    demo.authorise(&page, CHECKER, &["Đóng chênh lệch"]);
    demo.log_in(&page, MAKER, Tongue::Vi);
    page.loads(|page| page.css("header nav").link("Chênh lệch").click());
    page.field("Loại").choose("Trùng mã khác nội dung");
    page.field("Tìm số tiền, mã, giao dịch, nội dung").fill("");
    page.loads(|page| page.press("Enter"));
    let rows = page.all("tbody tr[data-row]");
    let row = rows.first().expect("a conflict");
    let no = row.css("a[data-open]").text();
    page.loads(|_| row.css("a[data-open]").click());
    assert!(page.all(".here").is_empty(), "no script marks a row");
    let close = page.css("details[data-key=r]");
    close.css("summary").click();
    close.field("Lý do").fill(REASON);
    page.loads(|_| close.button("Trình duyệt").click());
    assert!(page.css("p.said").text().contains("đã trình duyệt."), "{}", page.css("p.said").text());
    shares_out(&demo, &page);
    log_out(&page, Tongue::Vi);
    demo.log_in(&page, CHECKER, Tongue::Vi);
    page.loads(|page| page.css("header nav").link("Duyệt").click());
    let rows = page.all("tbody tr[data-row]");
    let row = rows.iter().find(|row| row.text().contains(REASON)).expect("what was proposed");
    page.loads(|_| row.css("a.code").click());
    page.loads(|page| page.css("form[action$='/approve'] button").click());
    assert_eq!(page.css("p.said").text(), "Đã duyệt. 1 dòng đã thực hiện, 0 dòng không thực hiện được.");
    page.goto(&demo.url(&format!("/breaks/{no}")));
    page.shows("Đã đóng");
}

/// The rest of an allocation is worked out by the server, and the oldest debts are a link.
fn shares_out(demo: &Demo, page: &Page) {
    page.goto(&demo.url("/desk"));
    page.field("Loại").choose("Lệch số tiền");
    page.loads(|page| page.button("Xem").click());
    let rows = page.all("tbody tr[data-row]");
    page.loads(|_| rows.first().expect("a parked transfer").css("a.code").click());
    page.loads(|page| page.link("Nợ cũ nhất trước").click());
    let before = page.css("[data-rest]").text();
    page.field("Giữ lại (xóa số lệch)").fill("1");
    page.loads(|page| page.button("Tính phần còn lại").click());
    assert_ne!(page.css("[data-rest]").text(), before);
}
