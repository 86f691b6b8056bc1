//! The allocation form: what stands in it, what is left, and the proposal that it is. Pure.

use super::gather::Found;
use crate::domain::ids::InvoiceId;
use crate::domain::money::Money;
use crate::domain::resolution::{Resolution, Share};
use crate::finance::form::Form;
use crate::finance::wish;
use crate::finance::words::Words;
use crate::reconcile::desk::suggest::share_out;
use std::collections::BTreeMap;

/// What stands in the form, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub shares: BTreeMap<String, String>,
    pub refund: String,
    pub write_off: String,
    pub reason: String,
    pub with: Vec<String>,
}

impl Sheet {
    /// As it was sent.
    pub(super) fn typed(form: &Form) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self {
            shares: form.all("invoice").map(str::to_owned).zip(form.all("share").map(str::to_owned)).collect(),
            refund: text("refund"),
            write_off: text("write_off"),
            reason: text("reason"),
            with: form.all("with").map(str::to_owned).collect(),
        }
    }

    fn of(shares: impl IntoIterator<Item = (InvoiceId, Money)>) -> Self {
        let shares = shares.into_iter().map(|(id, part)| (id.to_string(), part.dong().to_string()));
        Self { shares: shares.collect(), ..Self::default() }
    }

    /// What of the sum is on nothing yet, in dong; a figure that cannot be read counts as nothing.
    pub(super) fn rest(&self, whole: Money) -> i64 {
        let texts = self.shares.values().chain([&self.refund, &self.write_off]);
        let typed = texts.filter_map(|text| wish::dong(text)).fold(0_i64, i64::saturating_add);
        whole.dong().saturating_sub(typed)
    }
}

/// What an invoice bears of this payment: what is open, and what of it is on it already.
pub(super) fn bears(found: &Found, bill: &crate::domain::invoice::InvoiceAccount) -> Money {
    let own = found.position.allocations.iter().filter(|of| of.invoice == bill.invoice.id).map(|of| of.amount);
    Money::sum(own.chain([bill.open()])).unwrap_or_default()
}

fn owed(found: &Found) -> Vec<(InvoiceId, Money)> {
    found.debts.iter().map(|bill| (bill.invoice.id.clone(), bears(found, bill))).collect()
}

/// The form as a link fills it: `oldest`, a suggestion's number from 1, else as the money lies now.
pub(super) fn filled(found: &Found, fill: &str) -> Sheet {
    if fill == "oldest" {
        return Sheet::of(share_out(found.movable, &mut owed(found)).0);
    }
    let at = fill.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let suggested = at.and_then(|at| found.suggestions.get(at));
    suggested.map_or_else(
        || Sheet::of(found.position.allocations.iter().map(|of| (of.invoice.clone(), of.amount))),
        |one| Sheet::of(one.shares.iter().cloned()),
    )
}

/// What the form proposes: this payment's allocation, and the others that are ticked, onto what is left of its invoices.
pub(super) fn wishes(found: &Found, form: &Form, w: Words) -> Result<Vec<(i64, Resolution)>, &'static str> {
    let sum = |name: &str| form.get(name).map_or(Some(0), wish::dong).ok_or(w.not_a_sum());
    let (invoices, refund, write_off) = (wish::shares(form, w)?, sum("refund")?, sum("write_off")?);
    if invoices.is_empty() && refund == 0 && write_off == 0 && found.position.allocations.is_empty() {
        return Err(w.mat_nothing());
    }
    if Sheet::typed(form).rest(found.movable) < 0 {
        return Err(w.mat_too_much());
    }
    let mut left: Vec<(InvoiceId, Money)> = owed(found)
        .into_iter()
        .filter_map(|(id, open)| {
            let share = invoices.iter().find(|share| share.invoice == id)?;
            Some((id, open.minus(Money::from_dong(share.dong).ok()?).ok()?))
        })
        .collect();
    let mut wishes = vec![(found.about.no, Resolution::Allocate { invoices, refund, write_off })];
    for ticked in form.all("with") {
        let other = found.others.iter().find(|of| of.about.no.to_string() == ticked).ok_or(w.mat_other_gone())?;
        let (shares, _rest) = share_out(other.waits, &mut left);
        if shares.is_empty() {
            return Err(w.mat_no_room());
        }
        let invoices = shares.into_iter().map(|(invoice, part)| Share { invoice, dong: part.dong() }).collect();
        wishes.push((other.about.no, Resolution::Allocate { invoices, refund: 0, write_off: 0 }));
    }
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use super::Sheet;
    use crate::domain::money::Money;
    use crate::finance::form::Form;

    #[test]
    fn the_rest_is_what_is_on_nothing() {
        let form = Form::parse(b"invoice=A&share=1.000&invoice=B&share=&refund=-200&write_off=50").expect("a form");
        let whole = Money::from_dong(2_000).expect("money");
        assert_eq!(Sheet::typed(&form).rest(whole), 1_150);
        assert_eq!(Sheet::default().rest(whole), 2_000);
    }
}
