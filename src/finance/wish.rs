//! What a form wishes for a break: read into the same resolution that the API takes. Says what is wrong with it in words.

use super::form::Form;
use super::show;
use super::words::Words;
use crate::domain::ids::InvoiceId;
use crate::domain::money::typed_dong;
use crate::domain::resolution::{Action, Because, Resolution, Share};

/// The actions that may be proposed for many breaks at once, in the order of a list to choose from. Where each payment's
/// money goes is said payment by payment.
pub const BULK: [Action; 4] = [Action::Create, Action::Adjust, Action::Reverse, Action::Close];

/// Why the partner may owe another sum, in the order of a list to choose from.
pub const BECAUSE: [Because; 4] = [Because::Fee, Because::Promotion, Because::WriteOff, Because::Refund];

/// What an action is called.
#[must_use]
pub fn action_word(action: Action, w: Words) -> &'static str {
    match action {
        Action::Create => w.act_create(),
        Action::Allocate => w.act_allocate(),
        Action::Adjust => w.act_adjust(),
        Action::Reverse => w.act_reverse(),
        Action::Close => w.act_close(),
        Action::Seal => w.act_seal(),
        Action::Reopen => w.act_reopen(),
    }
}

/// What these resolutions of one proposal do, all together: where money is put on bills, given back, or both, in the
/// narrowest word that is true of them.
#[must_use]
pub fn together<'r>(all: impl IntoIterator<Item = &'r Resolution>, action: Action, w: Words) -> &'static str {
    let (mut bills, mut back, mut other) = (false, false, action != Action::Allocate);
    for what in all {
        match what {
            Resolution::Allocate { invoices, refund, write_off } => {
                bills |= !invoices.is_empty();
                back |= *refund != 0;
                // Taken off its bills, or kept: neither word says that.
                other |= *write_off != 0 || (invoices.is_empty() && *refund == 0);
            }
            Resolution::Create { .. } | Resolution::Adjust { .. } | Resolution::Reverse {} | Resolution::Close {} => {
                other = true;
            }
        }
    }
    match (bills, back) {
        (true, false) if !other => w.wish_allocate(),
        (false, true) if !other => w.wish_give_back(),
        (true, true) if !other => w.wish_both(),
        _ => action_word(action, w),
    }
}

/// What a reason of an adjustment is called.
#[must_use]
pub fn because_word(because: Because, w: Words) -> &'static str {
    match because {
        Because::WriteOff => w.because_write_off(),
        Because::Fee => w.because_fee(),
        Because::Promotion => w.because_promotion(),
        Because::Refund => w.because_refund(),
    }
}

/// The word of a reason in a form.
#[must_use]
pub fn because_code(because: Because) -> &'static str {
    match because {
        Because::WriteOff => "write_off",
        Because::Fee => "fee",
        Because::Promotion => "promotion",
        Because::Refund => "refund",
    }
}

/// Whole dong as people type it. Nothing typed is nothing.
#[must_use]
pub fn dong(typed: &str) -> Option<i64> {
    if typed.trim().is_empty() { Some(0) } else { typed_dong(typed) }
}

/// The resolution that a form asks for; a sentence where it says none.
///
/// # Errors
/// What is missing or wrong, for the person who typed it.
pub fn read(form: &Form, w: Words) -> Result<Resolution, &'static str> {
    let action = form.get("action").and_then(Action::parse).ok_or(w.choose_action())?;
    let sum = |name: &str| form.get(name).map_or(Some(0), dong).ok_or(w.not_a_sum());
    match action {
        Action::Create => {
            let event = form.text("event").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
            Ok(Resolution::Create { event, line: None })
        }
        Action::Allocate => Ok(Resolution::Allocate {
            invoices: shares(form, w)?,
            refund: sum("refund")?,
            write_off: sum("write_off")?,
        }),
        Action::Adjust => {
            let because = form.get("because").and_then(|code| BECAUSE.into_iter().find(|of| because_code(*of) == code));
            Ok(Resolution::Adjust { because: because.ok_or(w.choose_because())?, dong: sum("dong")? })
        }
        Action::Reverse => Ok(Resolution::Reverse {}),
        Action::Close => Ok(Resolution::Close {}),
        Action::Seal | Action::Reopen => Err(w.choose_action()),
    }
}

/// The invoices of a form with what each of them gets: fields `invoice` and `share` by turns.
///
/// # Errors
/// What is wrong, for the person who typed it.
pub fn shares(form: &Form, w: Words) -> Result<Vec<Share>, &'static str> {
    let mut shares = Vec::new();
    for (invoice, typed) in form.all("invoice").zip(form.all("share")) {
        let dong = dong(typed).ok_or(w.not_a_sum())?;
        if dong != 0 {
            let invoice = InvoiceId::parse(invoice).map_err(|_not_an_id| w.not_an_invoice())?;
            shares.push(Share { invoice, dong });
        }
    }
    Ok(shares)
}

/// A resolution in words.
#[must_use]
pub fn described(what: &Resolution, w: Words) -> String {
    let word = action_word(what.action(), w);
    match what {
        Resolution::Create { event, .. } if event.is_empty() => word.to_owned(),
        Resolution::Create { event, .. } => format!("{word}: {}", event.join(" ")),
        Resolution::Allocate { invoices, refund, write_off } => {
            let shares = invoices.iter().map(|share| format!("{} {}", share.invoice, show::money(share.dong, w.0)));
            let elsewhere = [(w.wish_refund(), *refund), (w.wish_write_off(), *write_off)];
            let elsewhere = elsewhere.into_iter().filter(|(_, dong)| *dong != 0);
            let elsewhere = elsewhere.map(|(name, dong)| format!("{name} {}", show::money(dong, w.0)));
            let parts: Vec<String> = shares.chain(elsewhere).collect();
            let word = together([what], what.action(), w);
            match (invoices.is_empty(), *write_off == 0) {
                (true, true) if *refund == 0 => w.wish_into_suspense().to_owned(),
                // The word says it.
                (true, true) => format!("{word}: {}", show::money(*refund, w.0)),
                _ => format!("{word}: {}", parts.join("; ")),
            }
        }
        Resolution::Adjust { because, dong } => {
            format!("{word}: {} {}", because_word(*because, w), show::signed(*dong, w.0))
        }
        Resolution::Reverse {} | Resolution::Close {} => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{described, dong, read, together};
    use crate::domain::ids::InvoiceId;
    use crate::domain::resolution::{Action, Because, Resolution, Share};
    use crate::domain::user::Tongue;
    use crate::finance::form::Form;
    use crate::finance::words::Words;

    fn allocates(invoices: &[(&str, i64)], refund: i64) -> Resolution {
        let share = |(id, dong): &(&str, i64)| Share { invoice: InvoiceId::parse(*id).expect("an id"), dong: *dong };
        Resolution::Allocate { invoices: invoices.iter().map(share).collect(), refund, write_off: 0 }
    }

    #[test]
    fn a_proposal_that_only_gives_back_is_called_so() {
        let w = Words(Tongue::Vi);
        let (back, on) = (allocates(&[], 5_000), allocates(&[("HD-1", 7_000)], 0));
        let word = |all: &[&Resolution]| together(all.iter().copied(), Action::Allocate, w);
        assert_eq!(word(&[&back, &back]), "Hoàn khách hàng");
        assert_eq!(word(&[&on]), "Phân bổ");
        assert_eq!(word(&[&on, &back]), "Phân bổ và hoàn");
        assert_eq!(word(&[&back, &allocates(&[], 0)]), "Phân bổ hoặc hoàn");
        assert_eq!(described(&back, w), "Hoàn khách hàng: 5.000\u{a0}₫");
        assert_eq!(described(&on, w), "Phân bổ: HD-1 7.000\u{a0}₫");
    }

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).expect("a form")
    }

    #[test]
    fn sums_are_read_as_people_type_them() {
        let typed = ["1513874", "1.513.874", " 1,513,874\u{a0}₫", "-5.000", ""].map(dong);
        assert_eq!(typed, [1_513_874, 1_513_874, 1_513_874, -5_000, 0].map(Some));
        assert_eq!(["12a", "50000.00", "1.5"].map(dong), [None; 3]);
    }

    #[test]
    fn a_form_is_the_resolution_that_the_api_takes() {
        let w = Words(Tongue::En);
        let adjust = read(&form("action=adjust&because=fee&dong=1.100"), w);
        assert_eq!(adjust, Ok(Resolution::Adjust { because: Because::Fee, dong: 1_100 }));
        let Ok(Resolution::Allocate { invoices, refund, write_off }) = read(
            &form("action=allocate&invoice=HD-1&share=5000&invoice=HD-2&share=&invoice=HD-3&share=7.000&refund=100"),
            w,
        ) else {
            panic!("an allocation")
        };
        let shares: Vec<_> = invoices.iter().map(|share| (share.invoice.as_str(), share.dong)).collect();
        assert_eq!((shares.as_slice(), refund, write_off), ([("HD-1", 5_000), ("HD-3", 7_000)].as_slice(), 100, 0));
        for bad in ["", "action=seal", "action=adjust&dong=1", "action=adjust&because=fee&dong=x"] {
            assert!(read(&form(bad), w).is_err(), "{bad}");
        }
    }
}
