//! The column layouts of real collectors, each read from a file that openpyxl or Python's csv made.

use super::*;

const PARTNER: StatementKind = StatementKind::Partner;

#[test]
fn a_wallets_workbook_with_refunds_beside_payments() {
    let mut header =
        ["stt", "ngay_giao_dich", "ma_gd_merchant", "ma_gd_zalopay", "app_user", "ma_kh", "ten_kh", "ten_app"]
            .map(str::to_owned)
            .to_vec();
    header.extend(["kenh_thanh_toan", "nguon_thanh_toan", "platform", "hinh_thuc_thanh_toan"].map(str::to_owned));
    header.extend(["trang_thai_giao_dich", "mo_ta", "bank_trace_no", "so_tien_giao_dich"].map(str::to_owned));
    header.extend(["giam_gia_uu_dai", "phi_nguoi_dung", "so_tien_thanh_toan"].map(str::to_owned));
    header.extend(["ngay_xuly_hoantra", "so_tien_hoantra", "merchant_userid"].map(str::to_owned));
    let row = |n: u32, order: &str, id: &str, status: &str, money: [Value; 4], refund: [Value; 2]| {
        let mut row = vec![json!(n), json!("2026-04-01 10:00:00"), json!(order), json!(id)];
        row.extend(["demo", "PA03HL0000001", "Nguyễn A", "Điện"].map(|text| json!(text)));
        row.extend(["QR", "Ví", "ANDROID", "WALLET", status, "Tiền điện"].map(|text| json!(text)));
        row.push(json!(null));
        row.extend(money);
        row.extend(refund);
        row.push(json!("demo"));
        row
    };
    let none = || [json!(null), json!(null)];
    let rows = json!([
        header,
        row(
            1,
            "260401_HD-0001",
            "260401000000175",
            "Thành công",
            [json!(150000), json!(0), json!(1100), json!(151100)],
            none()
        ),
        row(
            2,
            "260401_HD-0002",
            "260401000000176",
            "THÀNH CÔNG",
            [json!("250,000"), json!("20,000"), json!(0), json!(230000)],
            none()
        ),
        row(
            3,
            "260401_HD-0003",
            "260401000000177",
            "Đã hoàn tiền",
            [json!(90000), json!(0), json!(0), json!(90000)],
            [json!("02/04/2026 08:30:00"), json!(90000)]
        ),
        row(
            4,
            "260401_HD-0004",
            "260401000000178",
            "Thất bại",
            [json!(10000), json!(0), json!(0), json!(10000)],
            none()
        ),
    ]);
    let Some(file) = workbook("a_wallets_workbook", &rows) else { return };
    let profile = shipped("zalopay");
    file.check(
        &profile,
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 [2553|260401000000175] order=260401_HD-0001 2026-04-01T03:00:00.000Z day 2026-04-01
3 payment 250000 discount 20000 [2553|260401000000176] order=260401_HD-0002 2026-04-01T03:00:00.000Z day 2026-04-01
4 payment 90000 [2553|260401000000177] order=260401_HD-0003 2026-04-01T03:00:00.000Z day 2026-04-01
4 reversal 90000 [2553|260401000000177] order=260401_HD-0003 2026-04-02T01:30:00.000Z day 2026-04-02
5 failed 10000 [2553|260401000000178] order=260401_HD-0004 2026-04-01T03:00:00.000Z day 2026-04-01
xlsx: 5 of 4 rows; payments 3/490000, reversals 1/90000, ignored 1/10000; 2026-04-01 to 2026-04-02",
    );

    // The third example of the profile is the notice of the first row's payment: one event, one key.
    let example = &profile.examples()[2];
    let proved = profile.prove_as_example(&example.raw, example.at).unwrap();
    let notice = profile.read(&proved, example.at).unwrap();
    let read = told(&profile, PARTNER, "2026-04-01", &file.path);
    assert_eq!(Some(notice.event), read.lines[0].0.event, "the statement's event is the notice's");
}

#[test]
fn the_account_of_the_event_follows_the_profiles() {
    let text = std::fs::read_to_string(format!("{PROFILES}/zalopay.toml")).unwrap();
    let text = text.replace("is = \"2553\"", "is = \"9876\"");
    let profile = Partners::compile("zalopay.toml", &text, None).unwrap();
    let layout = profile.statement(PARTNER).unwrap();
    assert_eq!(layout.event[0], thuho::partner::statement::Part::Const("9876".to_owned()));
}

#[test]
fn a_wallets_workbook_with_a_total_below() {
    let header = json!(["STT", "NGÀY GIAO DỊCH", "TID", "SỐ HĐ", "TÊN KH", "SỐ TIỀN", "SĐT", "NGUỒN GD", "TRẠNG THÁI"]);
    let row = |n: u32, at: &str, id: Value, bill: &str, amount: Value, status: &str| {
        json!([n, at, id, bill, "Trần B", amount, "0900000000", "APP", status])
    };
    let rows = |total: &str| {
        json!([
            ["BÁO CÁO GIAO DỊCH NGÀY 01/04/2026"],
            [],
            header,
            row(1, "2026-04-01 00:00:00.000", json!("30000000001"), "HD-0001", json!("412,500"), "Thành công"),
            row(2, "2026-04-01 23:59:59.999", json!(30_000_000_002_i64), "HD-0002", json!(99000), "Thành công"),
            row(3, "2026-04-01 12:00:00.000", json!("30000000003"), "HD-0003", json!("10,000"), "Thất bại"),
            ["Tổng cộng", null, null, null, null, total],
        ])
    };
    let Some(file) = workbook("a_wallets_workbook_with_a_total", &rows("511,500")) else { return };
    let profile = kept("momo");
    file.check(
        &profile,
        PARTNER,
        "2026-04-01",
        "\
4 payment 412500 [30000000001] invoice=HD-0001 2026-03-31T17:00:00.000Z day 2026-04-01
5 payment 99000 [30000000002] invoice=HD-0002 2026-04-01T16:59:59.999Z day 2026-04-01
6 failed 10000 [30000000003] invoice=HD-0003 2026-04-01T05:00:00.000Z day 2026-04-01
xlsx: 3 of 3 rows; payments 2/511500, reversals 0/0, ignored 1/10000; 2026-04-01 to 2026-04-01",
    );
    let wrong = workbook("a_wallets_workbook_with_a_total", &rows("511,501")).unwrap();
    wrong.check(
        &profile,
        PARTNER,
        "2026-04-01",
        "row 7, SỐ TIỀN: found \"511501\", expected 511500, the sum of the payments of what was read",
    );
}

#[test]
fn a_gateways_billing_file() {
    let rows = json!([
        ["stt", "refnum", "paiddate", "contractno", "customername", "amount"],
        ["1", "00012345678901234567", "20260401101500", "PA03HL0000001", "Nguyễn, \"An\"\nA", "412500"],
        ["2", "00012345678901234568", "20260401101501", "PA03HL0000002", "Lê C", "0099000"],
    ]);
    let Some(file) = write("a_gateways_billing_file", "csv", &json!([{ "rows": rows }]), &json!({ "bom": true }))
    else {
        return;
    };
    file.check(
        &kept("vnpay-billing"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 412500 [00012345678901234567] customer=PA03HL0000001 2026-04-01T03:15:00.000Z day 2026-04-01
4 payment 99000 [00012345678901234568] customer=PA03HL0000002 2026-04-01T03:15:01.000Z day 2026-04-01
csv: 2 of 2 rows; payments 2/511500, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn a_gateways_report_names_the_day_it_settles_in() {
    let header = json!([
        "stt",
        "ma_giao_dich",
        "thoi_gian_gd",
        "so_tien_truoc_km",
        "so_tien_sau_km",
        "trang_thai",
        "thoi_gian_doi_soat",
        "ghi_chu"
    ]);
    let rows = json!([
        header,
        [1, "14000001", "31/03/2026 23:59:30", 150000, 130000, "Giao dịch thành công", "01/04/2026", "260331_HD-0001"],
        [2, "14000002", {"moment": "2026-04-01T10:00:00"}, 90000, 90000, "Giao dịch hoàn trả", {"date": "2026-04-01"}, "260331_HD-0002"],
        [3, "14000003", "01/04/2026 11:00:00", 70000, 70000, "Nghi vấn", "01/04/2026", "260331_HD-0003"],
    ]);
    let Some(file) = workbook("a_gateways_report", &rows) else { return };
    file.check(
        &kept("vnpay-gateway"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 discount 20000 [14000001] order=260331_HD-0001 2026-03-31T16:59:30.000Z day 2026-04-01
3 reversal 90000 [14000002] order=260331_HD-0002 2026-04-01T03:00:00.000Z day 2026-04-01
4 pending 70000 [14000003] order=260331_HD-0003 2026-04-01T04:00:00.000Z day 2026-04-01
xlsx: 3 of 3 rows; payments 1/150000, reversals 1/90000, ignored 1/70000; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn columns_by_their_place_below_titles_with_totals_below_an_empty_row() {
    let rows = |count: Value| {
        json!([
            ["PAYOO", null, null, "01/04/2026"],
            [],
            ["Thời điểm", "Mã ĐH", "Mã KH", "Số tiền", "Kỳ", "Họ tên", "Địa chỉ"],
            ["01/04/2026 07:05", "PY260401001", "PA03HL0000001", "1.513.874", "03/2026", "Phạm D", "Hà Nội"],
            ["01/04/2026 07:06", "PY260401002", "PA03HL0000002", 99000, "03/2026", "Vũ E", "Hà Nội"],
            [],
            ["Tổng số giao dịch:", null, count],
            ["Tổng tiền: 1.612.874"],
            ["Người lập", null, "Kế toán"],
        ])
    };
    let Some(file) = workbook("columns_by_their_place", &rows(json!(2))) else { return };
    let profile = kept("payoo");
    file.check(
        &profile,
        PARTNER,
        "2026-04-01",
        "\
4 payment 1513874 [PY260401001] customer=PA03HL0000001 2026-04-01T00:05:00.000Z day 2026-04-01
5 payment 99000 [PY260401002] customer=PA03HL0000002 2026-04-01T00:06:00.000Z day 2026-04-01
xlsx: 2 of 2 rows; payments 2/1612874, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
    let wrong = workbook("columns_by_their_place", &rows(json!(3))).unwrap();
    let expected =
        "row 7, tổng số giao dịch: found \"3\", expected 2, the number of payments and reversals of what was read";
    wrong.check(&profile, PARTNER, "2026-04-01", expected);
}

#[test]
fn mobile_money_with_a_day_that_ends_in_the_evening() {
    let header = [
        "stt",
        "kenh",
        "ma_nccdv",
        "ten_nccdv",
        "ma_giao_dich",
        "ma_giao_dich_nccdv",
        "ma_thanh_toan",
        "so_tien",
        "ngay_giao_dich",
        "thong_tin_gd",
        "trang_thai",
        "trang_thai_xac_nhan",
    ];
    let row = |n: u32, id: &str, at: &str, status: &str| {
        json!([n, "APP", "EVN", "Điện lực", id, "260401_HD-1", "PA03HL0000001", "150,000", at, "", status, "OK"])
    };
    let rows = json!([
        header,
        row(1, "VT1", "31/03/2026 23:00:00", "Thành công"),
        row(2, "VT2", "01/04/2026 22:59:59", "Hủy"),
    ]);
    let Some(file) = workbook("mobile_money", &rows) else { return };
    let profile = kept("viettel-app");
    file.check(
        &profile,
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 [VT1] order=260401_HD-1 customer=PA03HL0000001 2026-03-31T16:00:00.000Z day 2026-04-01
3 reversal 150000 [VT2] order=260401_HD-1 customer=PA03HL0000001 2026-04-01T15:59:59.000Z day 2026-04-01
xlsx: 2 of 2 rows; payments 1/150000, reversals 1/150000, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
    let late = json!([header, row(1, "VT3", "01/04/2026 23:00:00", "Thành công")]);
    workbook("mobile_money", &late).unwrap().check(
        &profile,
        PARTNER,
        "2026-04-01",
        "row 2, ngay_giao_dich: found \"01/04/2026 23:00:00\", expected a moment of the business day 2026-04-01",
    );
}

#[test]
fn a_counters_workbook_on_a_named_sheet() {
    let header = [
        "stt",
        "ma_nccdv",
        "kenh_gd",
        "nguon_tien_tt",
        "ma_don_hang",
        "ma_hoa_don",
        "ma_gd_viettel",
        "so_tien_goc",
        "so_tien_tt",
        "ten_kh",
        "so_dt",
        "so_the",
        "ngay_gd",
        "trang_thai",
    ];
    let row = |id: &str, amounts: [i64; 2], at: &str, status: Value| {
        json!([1, "EVN", "QUAY", "TM", "260401_HD-1", "HD-1", id, amounts[0], amounts[1], "Đỗ F", "09", "", at, status])
    };
    let rows = json!([
        header,
        row("C1", [150_000, 140_000], "01-04-2026 09:00:00", json!(1)),
        row("C2", [150_000, 150_000], "01-04-2026 09:10", json!("2")),
        row("C3", [150_000, 150_000], "01-04-2026 09:11", json!(0)),
    ]);
    let sheets = json!([{ "title": "Tổng hợp", "rows": [["không có gì"]] }, { "title": "Chi tiết", "rows": rows }]);
    let Some(file) = write("a_counters_workbook", "xlsx", &sheets, &json!({})) else { return };
    file.check(
        &kept("viettel-counter"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 discount 10000 [C1] invoice=HD-1 order=260401_HD-1 2026-04-01T02:00:00.000Z day 2026-04-01
3 reversal 150000 [C2] invoice=HD-1 order=260401_HD-1 2026-04-01T02:10:00.000Z day 2026-04-01
4 failed 150000 [C3] invoice=HD-1 order=260401_HD-1 2026-04-01T02:11:00.000Z day 2026-04-01
xlsx: 3 of 3 rows; payments 1/150000, reversals 1/150000, ignored 1/150000; 2026-04-01 to 2026-04-01",
    );
    let other =
        write("a_counters_workbook", "xlsx", &json!([{ "title": "Sheet1", "rows": rows }]), &json!({})).unwrap();
    other.check(&kept("viettel-counter"), PARTNER, "2026-04-01", "found the worksheets Sheet1, expected chi tiết");
}

#[test]
fn a_pay_service_with_fees_and_a_refund_beside_the_payment() {
    let header = [
        "stt",
        "he_thong_giao_dich",
        "kenh_thu",
        "magd_vnpt_pay",
        "phi_giao_dich_kh",
        "gia_tri_hoa_don",
        "ngay_giao_dich",
        "trang_thai",
        "ngay_cap_nhat_giao_dich",
        "ma_khach_hang",
        "ma_giao_dich_merchant",
        "ky_hoa_don",
        "gia_tri_hoan",
        "phi_hoan",
        "phi_giao_dich",
    ];
    let rows = json!([
        header,
        [
            1,
            "VNPT",
            "APP",
            "VP1",
            0,
            "150.000",
            "01/04/2026 09:00:00",
            "Thành công",
            null,
            "PA03HL0000001",
            "M1",
            "HD-1",
            null,
            null,
            "1.100"
        ],
        [
            2,
            "VNPT",
            "APP",
            "VP2",
            0,
            "1.250.000",
            "01/04/2026 09:00:01",
            "Hoàn tiền",
            "01/04/2026 18:00:00",
            "PA03HL0000002",
            "M2",
            "HD-2",
            "250.000",
            "550",
            "1.100"
        ],
    ]);
    let Some(file) = workbook("a_pay_service", &rows) else { return };
    // `150.000` alone may be a hundred and fifty: with dots for thousands the comma is the decimal mark, so it may not.
    file.check(
        &kept("vnpt"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 fee 1100 [VP1] invoice=HD-1 order=M1 customer=PA03HL0000001 2026-04-01T02:00:00.000Z day 2026-04-01
3 payment 1250000 fee 1650 [VP2] invoice=HD-2 order=M2 customer=PA03HL0000002 2026-04-01T02:00:01.000Z day 2026-04-01
3 reversal 250000 [VP2] invoice=HD-2 order=M2 customer=PA03HL0000002 2026-04-01T11:00:00.000Z day 2026-04-01
xlsx: 3 of 2 rows; payments 2/1400000, reversals 1/250000, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn a_shops_wallet_with_day_numbers_for_dates() {
    let rows = json!([
        ["stt", "thoi_gian_giao_dich", "agreement_id_cmnd", "ho_va_ten", "so_tien", "ma_giao_dich"],
        [1, 46113.5, "PA03HL0000001", "Hồ G", 150000, "SP1"],
        [2, {"moment": "2026-04-01T12:00:01"}, "PA03HL0000002", "Hồ H", 99000.0, "SP2"],
        [3, "2026-04-01 12:00:02", "PA03HL0000003", "Hồ I", "77000", "SP3"],
    ]);
    let Some(file) = workbook("a_shops_wallet", &rows) else { return };
    file.check(
        &kept("shopeepay"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 [SP1] customer=PA03HL0000001 2026-04-01T05:00:00.000Z day 2026-04-01
3 payment 99000 [SP2] customer=PA03HL0000002 2026-04-01T05:00:01.000Z day 2026-04-01
4 payment 77000 [SP3] customer=PA03HL0000003 2026-04-01T05:00:02.000Z day 2026-04-01
xlsx: 3 of 3 rows; payments 3/326000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn cards_with_refunds_as_rows_of_less_than_nothing() {
    let header = json!([
        "no",
        "merchant_id",
        "tran_date",
        "transaction_id",
        "merchant_trans_ref",
        "amount",
        "transaction_type",
        "transaction_state"
    ]);
    let rows = json!([
        header,
        ["1", "EVN", "01/04/2026 09:00:00 AM", "OP1", "260401_HD-1", "1,150,000.00", "Purchase", "Approved"],
        ["2", "EVN", "01/04/2026 12:00:00 PM", "OP2", "260401_HD-1", "-1,150,000.00", "Refund", "Approved"],
        ["3", "EVN", "01/04/2026 12:30:00 AM", "OP3", "260401_HD-3", "90,000", "Purchase", "Failed"],
    ]);
    let more = json!({ "separator": ";", "quote": "all" });
    let Some(file) = write("cards_with_refunds", "csv", &json!([{ "rows": rows }]), &more) else { return };
    file.check(
        &kept("onepay"),
        PARTNER,
        "2026-04-01",
        "\
2 payment 1150000 [OP1] order=260401_HD-1 2026-04-01T02:00:00.000Z day 2026-04-01
3 reversal 1150000 [OP2] order=260401_HD-1 2026-04-01T05:00:00.000Z day 2026-04-01
4 failed 90000 [OP3] order=260401_HD-3 2026-03-31T17:30:00.000Z day 2026-04-01
csv: 3 of 3 rows; payments 1/1150000, reversals 1/1150000, ignored 1/90000; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn a_banks_statement_with_titles_signs_and_a_footer() {
    let rows = |last: &str| {
        json!([
            ["NGÂN HÀNG TMCP", null, null, null, null],
            ["SAO KÊ TÀI KHOẢN", null, null, null, null],
            ["Số tài khoản", "0011000000000"],
            [],
            ["Ngày\ngiao dịch", "Số tham chiếu", "Nợ/Có", "Số tiền", "Mô tả"],
            ["01/04/2026", "FT26091000001", "+", "1,513,874", "THU HO TIEN DIEN 31/03"],
            ["01/04/2026", "FT26091000002", "-", "11,000", "PHI"],
            [last, null, null, "1,524,874"],
        ])
    };
    let sheets = |rows: &Value| json!([{ "title": "Sheet1", "rows": rows, "merged": ["A1:E1", "A2:E2"] }]);
    let Some(file) = write("a_banks_statement", "xlsx", &sheets(&rows("Tổng")), &json!({})) else { return };
    let profile = kept("vietcombank");
    file.check(
        &profile,
        StatementKind::Bank,
        "2026-04-01",
        "\
6 payment 1513874 order=FT26091000001 2026-03-31T17:00:00.000Z day 2026-04-01
xlsx: 1 of 2 rows; payments 1/1513874, reversals 0/0, ignored 1/11000; 2026-04-01 to 2026-04-01",
    );
    let cut = write("a_banks_statement", "xlsx", &sheets(&json!(rows("Tổng").as_array().unwrap()[..7])), &json!({}));
    cut.unwrap().check(&profile, StatementKind::Bank, "2026-04-01",
        "found no end of the data, expected a row that starts with tổng\nfound no control figure, expected one at Số tiền");
}
