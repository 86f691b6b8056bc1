//! Why a class of breaks comes about, where it goes, and what it is called, in the language of whoever reads. The English
//! words are the table's of the classes.

use super::told::told;
use super::words::Words;
use crate::domain::review::BreakClass;
use crate::store::desk::BreakView;

/// A break's sentence. Some quote what a payer wrote: who may not see payers reads the class's usual cause instead.
#[must_use]
pub fn detail(about: &BreakView, see: bool, w: Words) -> String {
    if see { told(&about.detail, w) } else { cause(about.class, w).to_owned() }
}

/// What people call the class.
#[must_use]
pub fn label(class: BreakClass, w: Words) -> &'static str {
    let about = class.about();
    w.pick(about.label_vi, about.label_en)
}

/// Where it usually comes from.
#[must_use]
pub fn cause(class: BreakClass, w: Words) -> &'static str {
    w.pick(vietnamese(class).0, class.about().cause)
}

/// Where it goes unless somebody decides otherwise.
#[must_use]
pub fn route(class: BreakClass, w: Words) -> &'static str {
    w.pick(vietnamese(class).1, class.about().route)
}

/// Cause and route.
fn vietnamese(class: BreakClass) -> (&'static str, &'static str) {
    match class {
        BreakClass::UnknownRef => ("nội dung chuyển khoản không nêu hóa đơn nào", "ghép tại Bàn ghép"),
        BreakClass::ContradictoryRef => ("hai mã tham chiếu chỉ hai khách hàng", "ghép tại Bàn ghép"),
        BreakClass::AmountMismatch => {
            ("khuyến mãi, gõ nhầm, hoặc phần lẻ của đồng", "xử lý tay: đối chiếu bằng chứng rồi điều chỉnh hoặc hủy")
        }
        BreakClass::DuplicatePayment => {
            ("một hóa đơn được trả qua hai kênh", "hoàn tiền hoặc ghi có, người khác duyệt")
        }
        BreakClass::CancelledInvoice => ("hóa đơn bị hủy trong lúc đang thanh toán", "phân bổ lại hoặc hoàn tiền"),
        BreakClass::Conflict => ("đối tác gửi lại giao dịch với nội dung khác", "hỏi lại đối tác"),
        BreakClass::StatusMismatch => {
            ("hết thời gian chờ giữa đối tác và ngân hàng", "hỏi trạng thái, rồi theo sao kê")
        }
        BreakClass::ReversalRefused => ("lệnh hủy không nêu giao dịch nào, hoặc nêu số tiền khác", "hỏi lại đối tác"),
        BreakClass::Stale => ("đồng hồ sai, hoặc thông báo gửi lại muộn", "chạy lại thông báo đã lưu"),
        BreakClass::Unreadable => ("đối tác đổi định dạng", "sửa cấu hình, rồi chạy lại thông báo đã lưu"),
        BreakClass::Paused => {
            ("thông báo đến khi đối tác đang tạm dừng", "mở lại đối tác, rồi chạy lại thông báo đã lưu")
        }
        BreakClass::OutOfOrder => ("hóa đơn mới được trả trước hóa đơn cũ", "báo cho điện lực"),
        BreakClass::InvoiceChanged => ("hệ thống hóa đơn sửa hoặc hủy hóa đơn đã thu", "phân bổ lại hoặc hoàn tiền"),
        BreakClass::BillAlreadyCleared => ("kênh khác gạch nợ trước", "xử lý như thanh toán trùng"),
        BreakClass::PaidNotCleared => ("hệ thống hóa đơn ngừng, hoặc từ chối", "gửi lại, có cảnh báo"),
        BreakClass::MissingWebhook => {
            ("thông báo bị mất hoặc bị chặn", "hỏi trạng thái, lập giao dịch từ sao kê rồi gạch nợ")
        }
        BreakClass::MissingInStatement => {
            ("giao dịch thất bại hoặc bị hủy sau đó ở đối tác", "giữ một kỳ, hỏi đối tác, rồi hủy")
        }
        BreakClass::DuplicateNotify => ("đối tác gọi lại nhiều lần", "không cần: đã bỏ qua và đếm"),
        BreakClass::DuplicateLine => ("tệp bị ghép hai lần", "đối tác gửi tệp sửa"),
        BreakClass::Suspect => ("hết thời gian chờ mà chưa có trạng thái cuối", "hỏi lại, cách nhau ngày càng lâu"),
        BreakClass::CutoffTiming => ("thanh toán sát giờ chốt", "không cần: khớp với ngày sau"),
        BreakClass::FeeMismatch => {
            ("sai bậc phí, thuế trên phí, số ròng và số gộp", "phòng tài chính kế toán xem xét, rồi điều chỉnh")
        }
        BreakClass::PromoMismatch => {
            ("chương trình khuyến mãi thiết lập khác nhau", "phòng tài chính kế toán đối chiếu cùng đối tác")
        }
        BreakClass::SwappedId => ("mã giao dịch bị tráo hoặc cấp lại trong tệp của đối tác", "đối tác gửi tệp sửa"),
        BreakClass::ReferenceMismatch => ("tệp của đối tác ghi đơn hàng khác", "xử lý tay: đối chiếu bằng chứng"),
        BreakClass::Split => ("đối tác ghi một giao dịch thành nhiều dòng", "xử lý tay: gán các phần"),
        BreakClass::Merged => ("đối tác gộp nhiều hóa đơn thành một dòng", "xử lý tay: gán cả dòng"),
        BreakClass::WrongCustomer => ("gõ nhầm mã của khách hàng khác", "phân bổ lại, người khác duyệt"),
        BreakClass::Underpaid => ("trả ít hơn số còn nợ", "thu một phần hoặc hoàn tiền"),
        BreakClass::Overpaid => ("trả nhiều hơn số còn nợ", "ghi có hoặc hoàn tiền"),
        BreakClass::Reversed => ("chỉ một bên hủy hoặc hoàn", "hủy gạch nợ, hai người duyệt"),
        BreakClass::ClearedNotPaid => ("gạch nợ bằng tay khi chưa có tiền", "phòng tài chính kế toán xem xét ngay"),
        BreakClass::SettlementShort => ("đối tác trả số đã trừ phí", "yêu cầu đối tác chuyển đủ"),
        BreakClass::SettlementLate => ("ngày nghỉ, giờ chốt của ngân hàng", "yêu cầu đối tác giải trình"),
        BreakClass::SettlementMissing => ("chưa chuyển tiền", "yêu cầu đối tác chuyển tiền"),
        BreakClass::BadFile => ("tổng, số dòng hoặc ngày không khớp", "từ chối cả tệp"),
        BreakClass::Bounced => ("tài khoản không đủ số dư cho séc hoặc trích nợ", "mở lại khoản nợ"),
    }
}
