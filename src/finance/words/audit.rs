//! Words of the page `audit`.

use super::words;

words! {AUDIT,
    au_proof: "Chứng minh sổ sách", "Proof of the books";
    au_last_seal: "Niêm phong gần nhất", "Last seal";
    au_how: "Người vận hành kiểm tra toàn bộ sổ trên máy chủ bằng lệnh:", "Ops prove all of the books on the machine with:";
    au_command: "thuho audit --config …", "thuho audit --config <file>";
    au_certificate: "Tải chứng thư của ngày", "Download the day's certificate";
    au_not_certified: "Chưa lập được chứng thư: ngày chưa được niêm phong, sổ không khớp, hoặc đang có việc dài khác.",
        "No certificate: the day is not under a seal yet, the books do not prove, or other long work is under way.";
    au_sealed: "Ngày chốt gần nhất của từng đối tác", "Last close of each partner";
    au_none_sealed: "Chưa có ngày nào được chốt.", "Nothing is closed yet.";
    au_signed: "Ký bởi, lúc", "Signed by, at";
    au_log: "Nhật ký của bàn đối soát", "Log of the desk";
    au_no_lines: "Không có dòng nào.", "No lines.";
    au_at: "Lúc", "At";
    au_what: "Việc", "What";
    au_subject: "Với", "With";
}
