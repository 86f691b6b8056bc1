//! What people call whoever did something where that was no person: the books keep a name and a version.

use crate::domain::user::Tongue;
use crate::reconcile::desk::rules::Rule;

/// Names that no person may have, and what they are called.
const SYSTEMS: [(&str, &str, &str); 7] = [
    ("system:rules", "quy tắc tự động", "the automatic rules"),
    ("system:reconcile", "hệ thống (đối soát)", "the system (comparison)"),
    ("system:rematch", "hệ thống (ghép lại khi có hóa đơn)", "the system (matched once the bill came)"),
    ("system:reversal", "hệ thống (giao dịch đã hủy)", "the system (the payment was reversed)"),
    ("system:inbox", "hệ thống (thư mục nhận tệp)", "the system (inbox of files)"),
    ("system:command-line", "quản trị máy chủ", "whoever runs the server"),
    ("system:demo", "bản dùng thử", "the demo"),
];

/// An author for people; a person's name is what it is.
#[must_use]
pub fn author(name: &str, tongue: Tongue) -> String {
    let pick = |vi: &'static str, en: &'static str| match tongue {
        Tongue::Vi => vi,
        Tongue::En => en,
    };
    if let Some((_, vi, en)) = SYSTEMS.iter().find(|(of, _, _)| *of == name) {
        return pick(vi, en).to_owned();
    }
    // A rule's earlier versions are called what the rule is.
    let plain = name.split('@').next().unwrap_or_default();
    let rule = plain.strip_prefix("rule:").and_then(Rule::parse);
    rule.map_or_else(|| name.to_owned(), |rule| format!("{} “{}”", pick("quy tắc", "the rule"), rule.label(tongue)))
}

#[cfg(test)]
mod tests {
    use super::author;
    use crate::domain::user::Tongue;
    use crate::reconcile::desk::rules::{APPROVER, Rule};
    use crate::reconcile::{inbox, run};

    #[test]
    fn whoever_is_no_person_has_a_name() {
        let named = Rule::ALL.map(Rule::name).into_iter().chain([APPROVER, run::RECONCILER, inbox::AUTHOR]);
        for name in named {
            for tongue in [Tongue::Vi, Tongue::En] {
                assert!(!author(name, tongue).contains(':'), "{name}");
            }
        }
        assert_eq!(author("rule:refund-later@9", Tongue::En), author("rule:refund-later@1", Tongue::En));
        assert_eq!(author("lan.nt", Tongue::Vi), "lan.nt");
    }
}
