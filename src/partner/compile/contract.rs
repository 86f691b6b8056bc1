//! The `[contract]` section of a profile: words for papers.

use super::super::profile::Contract;
use super::Compiler;

/// The longest of its texts, in characters: one line of a page.
const TEXT_MAX: usize = 120;

impl Compiler<'_, '_> {
    pub(super) fn contract(&mut self) -> Contract {
        let file = &self.file.contract;
        let date = file.contract_date.as_ref().and_then(|text| {
            let day = text.parse().map_err(|_not_a_day| "expected a day such as 2026-01-31");
            self.faults.take("contract.contract_date", day)
        });
        Contract {
            name: self.words("contract.name", file.name.as_ref()),
            contract_no: self.words("contract.contract_no", file.contract_no.as_ref()),
            contract_date: date,
        }
    }

    fn words(&mut self, key: &str, text: Option<&String>) -> Option<String> {
        let text = text?.trim();
        let right = !text.is_empty() && text.chars().count() <= TEXT_MAX && !text.contains(char::is_control);
        let text =
            if right { Ok(text.to_owned()) } else { Err(format!("expected 1 to {TEXT_MAX} characters in one line")) };
        self.faults.take(key, text)
    }
}
