//! The catalogue: every word that the pages say, in Vietnamese and in English, a file for each part of the desk. A page that
//! says a word that is not here does not compile.
//!
//! One thing has one word on every page, and one word means one thing:
//!
//! | Vietnamese | English | means |
//! |---|---|---|
//! | ngày giao dịch | business day | the partner's day that a payment belongs to |
//! | ngày hạch toán | accounting day | the day that a break's age is counted from |
//! | ngày làm việc | working day | a day that is no weekend and no holiday, and nothing else |
//! | treo | in suspense | money that is on no bill |
//! | chuyển kỳ sau, còn mở khi chốt | carried over, open at the close | a line or a break that is taken into the next period |
//! | gạch nợ | cleared | a bill's debt is ended |
//! | đối tác báo thu | notified | the partner says that a customer paid |
//! | tiền về, báo có | received, credit | the bank says that money came |
//! | lệnh gạch nợ | message | what is sent to the billing core about one bill |
//! | thông báo | notice | what a partner sends, as it came |
//! | khuyến mãi | discount | what somebody else pays of a bill for the customer |
//! | hệ thống hóa đơn | billing core | the system that bills are from |
//! | quy tắc tự động | rule | what proposes by itself |
//! | hạn mức duyệt | authority | up to which sum somebody may approve |
//! | diễn giải | detail | a sentence about one row |
//! | trạng thái | state | how far something is |

mod approvals;
mod audit;
mod breaks;
mod closes;
mod common;
mod customer;
mod files;
mod matching;
mod minutes;
mod one_break;
mod outbox;
mod partners;
mod rules;
mod settlement;
mod today;
mod users;

use crate::domain::user::Tongue;

/// The words in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(pub Tongue);

impl Words {
    /// The one of the two.
    #[must_use]
    pub fn pick(self, vi: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Tongue::Vi => vi,
            Tongue::En => en,
        }
    }
}

/// Adds words: `name: "tiếng Việt", "English";`. With them comes the list for the test of the catalogue.
macro_rules! words {
    ($list:ident, $($name:ident: $vi:literal, $en:literal;)*) => {
        impl crate::finance::words::Words {
            $(
                #[doc = concat!("`", $en, "`")]
                #[must_use]
                pub fn $name(self) -> &'static str {
                    self.pick($vi, $en)
                }
            )*
        }

        #[cfg(test)]
        pub(super) const $list: &[(&str, &str, &str)] = &[$((stringify!($name), $vi, $en)),*];
    };
}
use words;

#[cfg(test)]
mod tests;
