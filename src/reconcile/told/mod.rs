//! Sentences that the books and the readers of statements keep in English, told in the language of whoever reads: the pages
//! and the minutes say them with the same words. A sentence that is in no table is told as it is: it is still a fact.

mod authors;
mod books;
mod codes;
mod faults;

pub use authors::author;
pub use codes::code;

use crate::domain::figures::grouped;
use crate::domain::user::Tongue;
use jiff::civil::Date;

/// A pattern of a sentence, and how it is told. `{}` is a text, which is told by itself; `{#}` is a figure, whose thousands
/// are apart. Longer sentences stand before those that they begin with.
type Pairs = &'static [(&'static str, &'static str)];

/// In Vietnamese.
const VIETNAMESE: [Pairs; 2] = [books::VIETNAMESE, faults::VIETNAMESE];

/// A sentence in this language.
#[must_use]
pub fn told(sentence: &str, tongue: Tongue) -> String {
    let all = || VIETNAMESE.into_iter().flatten();
    let found = match tongue {
        Tongue::Vi => all().find_map(|(of, as_)| Some((parts(of, sentence)?, *as_))),
        // The books' own words; codes in them, figures and days are written for people all the same.
        Tongue::En => {
            let reworded = books::ENGLISH.iter().find_map(|(of, as_)| Some((parts(of, sentence)?, *as_)));
            reworded.or_else(|| all().find_map(|(of, _)| Some((parts(of, sentence)?, *of))))
        }
    };
    found.map_or_else(|| sentence.to_owned(), |(parts, pattern)| filled(pattern, &parts, tongue))
}

/// A hole of a pattern: is it for a figure? And what stands behind it.
fn hole(behind: &str) -> (bool, &str) {
    match behind.strip_prefix("#}") {
        Some(fixed) => (true, fixed),
        None => (false, behind.strip_prefix('}').unwrap_or(behind)),
    }
}

/// What stands for each hole of a pattern; `None` where the sentence is another one.
fn parts<'s>(pattern: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut holes = pattern.split('{');
    let mut rest = sentence.strip_prefix(holes.next()?)?;
    let mut parts = Vec::new();
    let mut open = false;
    for behind in holes {
        let (figure, fixed) = hole(behind);
        open = fixed.is_empty();
        let at = if open { rest.len() } else { rest.find(fixed)? };
        let (part, after) = rest.split_at(at);
        if figure && part.parse::<i64>().is_err() {
            return None;
        }
        parts.push(part);
        rest = after.strip_prefix(fixed)?;
    }
    (rest.is_empty() || open).then_some(parts)
}

fn filled(pattern: &str, parts: &[&str], tongue: Tongue) -> String {
    let mut holes = pattern.split('{');
    let mut text = holes.next().unwrap_or_default().to_owned();
    for (behind, part) in holes.zip(parts) {
        let (figure, fixed) = hole(behind);
        text.push_str(&if figure { number(part, tongue) } else { by_itself(part, tongue) });
        text.push_str(fixed);
    }
    text
}

fn number(of: &str, tongue: Tongue) -> String {
    let apart = match tongue {
        Tongue::Vi => '.',
        Tongue::En => ',',
    };
    of.parse().map_or_else(|_not_one| of.to_owned(), |number| grouped(number, apart))
}

/// A part: a day, whoever did it, a code, or another sentence.
fn by_itself(of: &str, tongue: Tongue) -> String {
    if let Some(day) = (of.len() == 10).then(|| of.parse::<Date>().ok()).flatten() {
        return day.strftime("%d/%m/%Y").to_string();
    }
    let named = [author(of, tongue), code(of, tongue)].into_iter().find(|name| name != of);
    named.unwrap_or_else(|| told(of, tongue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vi(text: &str) -> String {
        told(text, Tongue::Vi)
    }

    fn en(text: &str) -> String {
        told(text, Tongue::En)
    }

    #[test]
    fn a_sentence_is_told_with_what_it_is_about() {
        assert_eq!(
            vi("invoice HD/1-2 has 150000 dong open, not 200000"),
            "hóa đơn HD/1-2 còn nợ 150.000 đồng, không phải 200.000"
        );
        assert_eq!(vi("parked: unknown_invoice"), "treo: không rõ hóa đơn");
        assert_eq!(vi("proposal 7: invoice 123456 was cancelled"), "đề xuất 7: hóa đơn 123456 đã hủy");
        assert_eq!(
            vi("our books have 5000 dong, the statement a b.csv has nothing"),
            "sổ của ta có 5.000 đồng, sao kê a b.csv không có"
        );
        assert_eq!(vi("something new"), "something new");
    }

    #[test]
    fn english_says_no_codes_and_writes_figures_for_people() {
        assert_eq!(en("the amounts differ"), "the amounts differ");
        assert_eq!(en("parked: wrong_amount"), "in suspense: not an amount that is owed");
        assert_eq!(
            en("the statement has 739677 dong, our books have nothing"),
            "the statement has 739,677 dong, our books have nothing"
        );
        assert_eq!(
            en("batch A of 2026-11-20 should bring 5000 dong and brought 4000"),
            "batch A of 20/11/2026 should bring 5,000 dong and brought 4,000"
        );
    }

    #[test]
    fn what_a_rule_did_is_told_with_its_name() {
        assert_eq!(
            vi("create by proposal 1 of rule:create-missing@1, approved by system:rules"),
            "lập giao dịch từ sao kê theo đề xuất số 1 của quy tắc “Ghi giao dịch thiếu thông báo”, người duyệt: quy tắc tự động"
        );
        assert_eq!(en("close by proposal 2 of lan, approved by nga"), "closed by proposal 2 of lan, approved by nga");
    }

    #[test]
    fn a_persons_own_words_stay() {
        for text in ["duplicate", "held", "khách đã nhận lại tiền"] {
            assert_eq!([vi(text), en(text)], [text, text]);
        }
    }

    #[test]
    fn each_pattern_is_found_by_itself_and_filled_with_what_it_has() {
        for (of, as_) in VIETNAMESE.into_iter().flatten().chain(books::ENGLISH) {
            let holes = |text: &str| text.split('{').skip(1).map(|behind| hole(behind).0).collect::<Vec<_>>();
            assert_eq!(holes(of), holes(as_), "{of}");
        }
        for (of, as_) in VIETNAMESE.into_iter().flatten() {
            let one = |text: &str| text.replace("{}", "1").replace("{#}", "1");
            assert_eq!(vi(&one(of)), one(as_), "{of}");
        }
    }

    /// The texts of the readers are all in the table: what is wrong in a file is told to whoever brought it.
    #[test]
    fn each_fault_of_a_statement_is_told() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reconcile/read");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            let whole = std::fs::read_to_string(&path).expect("a file of ours");
            let code = whole.split("#[cfg(test)]").next().unwrap_or_default();
            // These two write no words: one has quotes and the other says how a fault is printed.
            if ["cut.rs", "held.rs", "faults.rs"].iter().any(|name| path.ends_with(name)) {
                continue;
            }
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for text in line.split('"').skip(1).step_by(2).filter(|text| is_sentence(text)) {
                    let said = with_ones(text);
                    assert_ne!(vi(&said), said, "{}: {text}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 80, "the control: they are found");
    }

    /// More than a name or a format of a moment.
    fn is_sentence(text: &str) -> bool {
        let letters = with_ones(text).split_whitespace().filter(|w| w.chars().all(char::is_alphabetic)).count();
        letters > 0 && text.contains(' ') && text != " or "
    }

    /// The text with a figure in each of its places.
    fn with_ones(text: &str) -> String {
        let mut said = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            said.push_str(before);
            said.push('1');
            rest = behind.split_once('}').map_or("", |(_, after)| after);
        }
        said + rest
    }
}
